//! Documents that are mostly well-formed and reach into every corner of the grammar.

use crate::random::Random;

#[rustfmt::skip] // a table reads as a table
const NAMES: &[&str] = &[
    "message", "iq", "body", "x", "item", "a", "b", "c", "_a-b.c9", "été", "名前", "a\u{301}",
    "\u{10000}z", "ns\u{B7}", "xmlns-like", "xml",
];
#[rustfmt::skip] // a table reads as a table
const BAD_NAMES: &[&str] = &[
    "9a", "-a", ".a", "a b", "\u{B7}a", "\u{D7}", "a\u{2050}", "", "a:", ":a", "a:b:c", "a:9",
    "\u{301}a",
];
const PREFIXES: &[&str] = &["p", "q", "stream", "ä"];
#[rustfmt::skip] // a table reads as a table
const NAMESPACES: &[&str] = &[
    "jabber:client", "jabber:server", "urn:a", "urn:b", "urn:a&amp;b", "urn:&#97;",
    "urn:tab\tbed", "urn:日本", "",
];
const ODD_NAMESPACES: &[&str] = &[
    "http://www.w3.org/XML/1998/namespace",
    "http://www.w3.org/2000/xmlns/",
    "&#104;ttp://www.w3.org/2000/xmlns/",
];
const SPACES: &[&str] = &[" ", " ", " ", "  ", "\n", "\t", "\r\n", "\r", " \n\t "];
#[rustfmt::skip] // a table reads as a table
const WORDS: &[&str] = &[
    "hello", "a", "", " ", "Wherefore art thou", "grüße", "привет", "鸿雁", "😀", "\u{7F}",
    "\u{85}", "\u{2028}", "\u{FEFF}", "\u{FFFD}", "\u{E000}", "\u{10FFFF}", "]", "]]", "]] >",
    "\r\n", "\r", "\n", "\t", "\r\r\n", ">", "--", "/>", "?>", "=", "#", ";", "x:y",
];
#[rustfmt::skip] // a table reads as a table
const REFERENCES: &[&str] = &[
    "&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&#65;", "&#x41;", "&#x1F600;", "&#9;",
    "&#10;", "&#13;", "&#xd;", "&#0065;", "&#xFFFD;", "&#x10FFFF;", "&#38;", "&#60;", "&#x3C;",
];
#[rustfmt::skip] // a table reads as a table
const BAD_REFERENCES: &[&str] = &[
    "&", "&;", "&#;", "&#x;", "&nbsp;", "&AMP;", "&am;", "&ampx;", "&amp", "&#1;", "&#0;",
    "&#xD800;", "&#xFFFE;", "&#xFFFF;", "&#x110000;", "&#99999999999;", "&#X41;", "&#a;",
    "&#x4G;", "& amp;", "&#000000000065;", "&é;", "&#-1;", "&#+65;", "&#4294967361;",
];
#[rustfmt::skip] // a table reads as a table
const BAD_TEXT: &[&[u8]] = &[
    b"]]>", b"]]]>", b"\0", b"\x01", b"\x08", b"\x0B", b"\x0C", b"\x1F", b"\xEF\xBF\xBE",
    b"\xEF\xBF\xBF", b"\xED\xA0\x80", b"\xC0\x80", b"\xC1\xBF", b"\xE0\x80\xAF",
    b"\xF0\x80\x80\x80", b"\xF4\x90\x80\x80", b"\xF5\x80\x80\x80", b"\xFF", b"\x80", b"\xC3",
    b"\xE9\xB8", b"\xF0\x9F\x98", b"<!-- c -->", b"<!DOCTYPE x>", b"<!ENTITY a 'b'>",
    b"<?pi?>", b"<?xml version='1.0'?>", b"<![CDATA[", b"<![cdata[x]]>", b"<![", b"<!", b"<",
    b"</", b"< a/>",
];
const DECLARATIONS: &[&str] = &[
    "<?xml version='1.0'?>",
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
    "<?xml version = '1.0'\n encoding='utf-8' standalone='yes' ?>",
    "<?xml version='1.0'?>\n",
];
#[rustfmt::skip] // a table reads as a table
const BAD_DECLARATIONS: &[&str] = &[
    "<?xml version='1.0' standalone='no'?>", "<?xml version='1.0' standalone='YES'?>",
    "<?xml version='1.1'?>", "<?xml version='1.0' encoding='ISO-8859-1'?>",
    "<?xml version='1.0' encoding='utf8'?>", "<?xml version='1.0'encoding='utf-8'?>",
    "<?xml encoding='utf-8'?>", "<?xml?>", "<?xml version='1.0'>", "<?xml version='1.0' ? >",
    "<?xml version='1.0' encoding='utf-8' encoding='utf-8'?>",
    "<?xml version='1.0' standalone='yes' encoding='utf-8'?>", "<?xml-stylesheet href='x'?>",
    "<?XML version='1.0'?>", " <?xml version='1.0'?>",
    "<?xml version='1.0'?><?xml version='1.0'?>", "\u{FEFF}", "\n", "<!DOCTYPE a>",
    "<!-- a -->",
];

pub(crate) struct Generator<'a> {
    random: &'a mut Random,
    out: Vec<u8>,
    /// Prefixes bound where the next element stands.
    bound: Vec<&'static str>,
    /// Once in how many places something is wrong on purpose.
    mistakes: usize,
}

/// A stream: header, stanzas, end tag.
pub(crate) fn stream(random: &mut Random) -> Vec<u8> {
    let mut generator = Generator::new(random);
    generator.declaration();
    generator.header();
    for _ in 0..generator.random.below(4) {
        let space = ["", "", "\n", " "][generator.random.below(4)];
        generator.push(space);
        generator.element(0);
        if generator.has_mistake() {
            let text = generator.random.pick(&[
                "text",
                "&#32;",
                "<![CDATA[]]>",
                "<![CDATA[x]]>",
                "\u{FEFF}",
            ]);
            generator.push(text);
        }
    }
    generator.push("</stream:stream>");
    generator.finish()
}

/// A standalone element.
pub(crate) fn element(random: &mut Random) -> Vec<u8> {
    let mut generator = Generator::new(random);
    generator.declaration();
    generator.element(0);
    generator.finish()
}

impl<'a> Generator<'a> {
    fn new(random: &'a mut Random) -> Self {
        // Half of all documents are without an intended mistake; the others have about one.
        let mistakes = if random.one_in(2) { usize::MAX } else { 60 };
        Self {
            random,
            out: Vec::new(),
            bound: Vec::new(),
            mistakes,
        }
    }

    fn push(&mut self, part: impl AsRef<[u8]>) {
        self.out.extend_from_slice(part.as_ref());
    }

    fn has_mistake(&mut self) -> bool {
        self.random.one_in(self.mistakes)
    }

    fn declaration(&mut self) {
        if self.random.one_in(2) {
            let declaration = self.random.pick(DECLARATIONS);
            self.push(declaration);
        } else if self.random.one_in(10) {
            let declaration = self.random.pick(BAD_DECLARATIONS);
            self.push(declaration);
        }
    }

    fn header(&mut self) {
        let default = self
            .random
            .pick(&["jabber:client", "jabber:server", "urn:a&amp;b", ""]);
        self.push("<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='");
        self.push(default);
        self.push("'");
        self.bound.push("stream");
        if self.random.one_in(3) {
            self.push(" xmlns:p='urn:from-header'");
            self.bound.push("p");
        }
        if self.random.one_in(3) {
            self.attribute_value_of("to");
        }
        self.push(">");
    }

    fn attribute_value_of(&mut self, name: &str) {
        self.push(" ");
        self.push(name);
        self.push("=");
        self.value();
    }

    fn element(&mut self, depth: usize) {
        let bound_outside = self.bound.len();
        let declared = self.declarations();
        let name = self.qualified_name();
        self.push("<");
        self.push(&name);
        self.attributes(&declared);
        if self.random.one_in(8) {
            self.space();
        }
        if self.random.one_in(3) {
            self.push("/>");
        } else {
            self.push(">");
            self.content(depth + 1);
            self.push("</");
            let mistaken = self.has_mistake();
            self.push(if mistaken { "other" } else { &name });
            if self.random.one_in(8) {
                self.space();
            }
            self.push(">");
        }
        self.bound.truncate(bound_outside);
    }

    /// Chooses what the next element declares, so that it can use it.
    fn declarations(&mut self) -> Vec<(String, &'static str)> {
        let mut declared = Vec::new();
        if self.random.one_in(3) {
            declared.push(("xmlns".to_owned(), self.random.pick(NAMESPACES)));
        }
        while self.random.one_in(4) {
            let prefix = self.random.pick(PREFIXES);
            let namespace = self.random.pick(&NAMESPACES[..NAMESPACES.len() - 1]);
            declared.push((format!("xmlns:{prefix}"), namespace));
            self.bound.push(prefix);
        }
        if self.has_mistake() {
            let name =
                self.random
                    .pick(&["xmlns", "xmlns:p", "xmlns:xml", "xmlns:xmlns", "xmlns:XML"]);
            let odd = [
                self.random.pick(ODD_NAMESPACES),
                self.random.pick(NAMESPACES),
            ];
            declared.push((name.to_owned(), self.random.pick(&odd)));
        }
        declared
    }

    fn qualified_name(&mut self) -> String {
        if self.has_mistake() {
            return self.random.pick(BAD_NAMES).to_owned();
        }
        // Rarely, because the other parser needs help with it.
        let name = if self.random.one_in(300) {
            "ﾖ"
        } else {
            self.random.pick(NAMES)
        };
        if self.has_mistake() {
            return format!(
                "{}:{name}",
                self.random.pick(&["unbound", "xmlns", "xml", "q"])
            );
        }
        if !self.bound.is_empty() && self.random.one_in(3) {
            return format!("{}:{name}", self.bound[self.random.below(self.bound.len())]);
        }
        name.to_owned()
    }

    fn attributes(&mut self, declared: &[(String, &'static str)]) {
        for (name, namespace) in declared {
            self.space();
            self.push(name);
            self.push("='");
            self.push(namespace);
            self.push("'");
        }
        while self.random.one_in(2) {
            if !self.has_mistake() {
                self.space();
            }
            let name = if self.random.one_in(6) {
                self.random
                    .pick(&["xml:lang", "xml:space", "to", "a"])
                    .to_owned()
            } else {
                self.qualified_name()
            };
            self.push(name);
            if self.random.one_in(10) {
                self.space();
            }
            if !self.has_mistake() {
                self.push("=");
            }
            if self.random.one_in(10) {
                self.space();
            }
            self.value();
        }
    }

    fn space(&mut self) {
        let space = self.random.pick(SPACES);
        self.push(space);
    }

    fn value(&mut self) {
        let quote = self.random.pick(&["'", "\""]);
        self.push(quote);
        for _ in 0..self.random.below(4) {
            self.characters();
        }
        if self.has_mistake() {
            let bad = self.random.pick(BAD_TEXT);
            self.push(bad);
        }
        if !self.has_mistake() {
            self.push(quote);
        }
    }

    fn content(&mut self, depth: usize) {
        for _ in 0..self.random.below(5) {
            match self.random.below(6) {
                0 | 1 if depth < 6 => self.element(depth),
                2 => self.section(),
                _ => self.characters(),
            }
            if self.has_mistake() {
                let bad = self.random.pick(BAD_TEXT);
                self.push(bad);
            }
        }
    }

    fn characters(&mut self) {
        if self.has_mistake() {
            let bad = self.random.pick(BAD_REFERENCES);
            self.push(bad);
        } else if self.random.one_in(4) {
            let reference = self.random.pick(REFERENCES);
            self.push(reference);
        } else {
            let word = self.random.pick(WORDS);
            self.push(word);
        }
    }

    fn section(&mut self) {
        self.push("<![CDATA[");
        for _ in 0..self.random.below(4) {
            let part = match self.random.below(3) {
                0 => self.random.pick(REFERENCES),
                1 => self
                    .random
                    .pick(&["<a>", "</x", "<![CDATA[", "<!--", "&", "<"]),
                _ => self.random.pick(WORDS),
            };
            self.push(part);
        }
        self.push("]]>");
    }

    fn finish(self) -> Vec<u8> {
        self.out
    }
}

/// Changes some bytes of a document.
pub(crate) fn mutate(random: &mut Random, document: &mut Vec<u8>) {
    #[rustfmt::skip] // a table reads as a table
    const SPLICES: &[&[u8]] = &[
        b"<", b">", b"/", b"'", b"\"", b"=", b"&", b";", b" ", b":", b"]", b"!", b"?", b"\r",
        b"\0", b"\xFF", b"\x80", b"]]>", b"<!", b"/>", b"x", b"xmlns=''", b"&#", b"<![CDATA[",
    ];
    for _ in 0..1 + random.below(3) {
        let at = random.below(document.len() + 1);
        let end = (at + random.below(6)).min(document.len());
        match random.below(5) {
            0 => drop(document.splice(at..end, [])),
            1 => drop(document.splice(at..at, random.pick(SPLICES).iter().copied())),
            2 => drop(document.splice(at..end, random.pick(SPLICES).iter().copied())),
            3 => {
                let copy = document[at..end].to_vec();
                let to = random.below(document.len() + 1);
                drop(document.splice(to..to, copy));
            }
            _ if random.one_in(8) => document.truncate(at),
            _ => {
                if let Some(byte) = document.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
        }
    }
}
