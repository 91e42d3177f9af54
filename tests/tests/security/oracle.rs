//! Streams as a parser reads them that nobody here wrote.

use rxml::{Event, Parse, Parser};

/// An element as rxml reads it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// Namespace, name and value, sorted.
    pub(crate) attributes: Vec<(String, String, String)>,
    pub(crate) text: String,
    pub(crate) children: Vec<Self>,
}

impl Tree {
    pub(crate) fn attribute(&self, wanted: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        attributes
            .find(|(_, name, _)| name == wanted)
            .map(|(_, _, value)| value.as_str())
    }

    pub(crate) fn child(&self, name: &str) -> &Self {
        let child = self.children.iter().find(|child| child.name == name);
        child.unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }
}

/// What rxml makes of a part of a stream between stanzas.
pub(crate) fn stanzas(bytes: &[u8]) -> Vec<Tree> {
    let header = b"<stream:stream xmlns='jabber:client' \
         xmlns:stream='http://etherx.jabber.org/streams'>";
    let stream = [header, bytes, b"</stream:stream>"].concat();
    let mut parser = Parser::default();
    let mut rest = &stream[..];
    let mut open = vec![Tree::default()];
    loop {
        let event = parser.parse(&mut rest, true);
        let event = event.unwrap_or_else(|fault| panic!("{fault:?} in {}", stream.escape_ascii()));
        match event {
            None => break,
            Some(Event::XmlDeclaration(..)) => panic!("a declaration in a stream"),
            Some(Event::StartElement(_, (namespace, name), attributes)) => {
                let attributes = attributes.into_iter().map(|((namespace, name), value)| {
                    (namespace.to_string(), name.to_string(), value)
                });
                let mut attributes: Vec<_> = attributes.collect();
                attributes.sort();
                open.push(Tree {
                    namespace: namespace.to_string(),
                    name: name.to_string(),
                    attributes,
                    ..Tree::default()
                });
            }
            Some(Event::EndElement(_)) => {
                let tree = open.pop().unwrap();
                open.last_mut().unwrap().children.push(tree);
            }
            Some(Event::Text(_, text)) => open.last_mut().unwrap().text += &text,
        }
    }
    open.pop().unwrap().children.remove(0).children
}
