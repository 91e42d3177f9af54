//! Documents as rxml reads them.

use rxml::parser::Options;
use rxml::{Event, Parse, Parser, WithOptions};

/// An element with all that is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// Namespace, name and value, sorted.
    pub(crate) attributes: Vec<(String, String, String)>,
    pub(crate) content: Vec<Node>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Element(Tree),
    Text(String),
}

impl Tree {
    pub(crate) fn text(&self) -> String {
        let texts = self.content.iter().filter_map(|node| match node {
            Node::Text(text) => Some(text.as_str()),
            Node::Element(_) => None,
        });
        texts.collect()
    }

    pub(crate) fn children(&self) -> impl Iterator<Item = &Self> {
        self.content.iter().filter_map(|node| match node {
            Node::Element(tree) => Some(tree),
            Node::Text(_) => None,
        })
    }

    /// The same with the text of every element in one piece before its children, which is how far
    /// the order of the two is told by an element's index.
    pub(crate) fn flat(&self) -> Self {
        let text = self.text();
        let text = if text.is_empty() {
            None
        } else {
            Some(Node::Text(text))
        };
        let children = self.children().map(|child| Node::Element(child.flat()));
        Self {
            content: text.into_iter().chain(children).collect(),
            ..self.clone()
        }
    }

    /// The same with all names, values and texts changed.
    pub(crate) fn map(&self, change: fn(&str) -> String) -> Self {
        let attributes = self.attributes.iter();
        let mut attributes: Vec<_> = attributes
            .map(|(namespace, name, value)| (change(namespace), change(name), change(value)))
            .collect();
        attributes.sort();
        let content = self.content.iter().map(|node| match node {
            Node::Element(tree) => Node::Element(tree.map(change)),
            Node::Text(text) => Node::Text(change(text)),
        });
        Self {
            namespace: change(&self.namespace),
            name: change(&self.name),
            attributes,
            content: content.collect(),
        }
    }

    pub(crate) fn push_text(&mut self, text: &str) {
        match self.content.last_mut() {
            Some(Node::Text(last)) => last.push_str(text),
            Some(Node::Element(_)) | None => self.content.push(Node::Text(text.to_owned())),
        }
    }
}

/// How a document is read.
pub(crate) type Read = fn(&[u8]) -> Result<Tree, String>;

/// What rxml makes of a stream, without the white space between stanzas, which means nothing
/// (RFC 6120 §11.7).
pub(crate) fn stream(document: &[u8]) -> Result<Tree, String> {
    let mut stream = element(document)?;
    stream.content.retain(|node| match node {
        Node::Text(text) => !text.trim_matches([' ', '\t', '\r', '\n']).is_empty(),
        Node::Element(_) => true,
    });
    Ok(stream)
}

/// What rxml makes of an element.
pub(crate) fn element(document: &[u8]) -> Result<Tree, String> {
    // Longer than any document, so that the limit on tokens is never met.
    let options = Options {
        max_token_length: 1 << 16,
        ..Options::default()
    };
    let mut parser = Parser::with_options(options);
    let mut rest = document;
    let mut open = vec![Tree::default()];
    loop {
        match parser
            .parse(&mut rest, true)
            .map_err(|error| format!("{error:?}"))?
        {
            None => break,
            Some(Event::XmlDeclaration(..)) => {}
            Some(Event::StartElement(_, (namespace, name), attributes)) => {
                let mut attributes: Vec<_> = attributes
                    .into_iter()
                    .map(|((namespace, name), value)| {
                        (namespace.to_string(), name.to_string(), value)
                    })
                    .collect();
                attributes.sort();
                open.push(Tree {
                    namespace: namespace.to_string(),
                    name: name.to_string(),
                    attributes,
                    content: Vec::new(),
                });
            }
            Some(Event::EndElement(_)) => {
                let tree = open.pop().expect("rxml balances its events");
                let parent = open.last_mut().expect("rxml balances its events");
                parent.content.push(Node::Element(tree));
            }
            Some(Event::Text(_, text)) => {
                open.last_mut()
                    .expect("rxml balances its events")
                    .push_text(&text);
            }
        }
    }
    let document = open.pop().expect("the document itself is never popped");
    document
        .children()
        .next()
        .cloned()
        .ok_or_else(|| "no element".to_owned())
}
