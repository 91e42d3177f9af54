//! Data forms (XEP-0004): asked for, filled in, and as results.

mod submission;

use crate::ns;
use anser_xml::{Child, Element, Writer};
use std::borrow::Cow;

pub use submission::{Filled, FormFault, Submission, required};

/// The field that says what a form is about (XEP-0068 §3).
pub const FORM_TYPE: &str = "FORM_TYPE";

/// What a form is for (XEP-0004 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormKind {
    /// To be filled in.
    Form,
    /// Filled in.
    Submit,
    /// Not going to be filled in.
    Cancel,
    /// Data.
    Result,
}

impl FormKind {
    const ALL: [Self; 4] = [Self::Form, Self::Submit, Self::Cancel, Self::Result];

    /// The value of the attribute `type`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Submit => "submit",
            Self::Cancel => "cancel",
            Self::Result => "result",
        }
    }
}

/// What the values of a field are (XEP-0004 §3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// Yes or no.
    Boolean,
    /// A text that is shown and not filled in.
    Fixed,
    /// Not shown, and given back as it is.
    Hidden,
    /// Addresses.
    JidMulti,
    /// An address.
    JidSingle,
    /// Some of the options.
    ListMulti,
    /// One of the options.
    ListSingle,
    /// A text of several lines, each of which is a value.
    TextMulti,
    /// A text that is not shown while it is typed.
    TextPrivate,
    /// A text of one line.
    TextSingle,
}

impl FieldType {
    const ALL: [Self; 10] = [
        Self::Boolean,
        Self::Fixed,
        Self::Hidden,
        Self::JidMulti,
        Self::JidSingle,
        Self::ListMulti,
        Self::ListSingle,
        Self::TextMulti,
        Self::TextPrivate,
        Self::TextSingle,
    ];

    /// The value of the attribute `type`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Fixed => "fixed",
            Self::Hidden => "hidden",
            Self::JidMulti => "jid-multi",
            Self::JidSingle => "jid-single",
            Self::ListMulti => "list-multi",
            Self::ListSingle => "list-single",
            Self::TextMulti => "text-multi",
            Self::TextPrivate => "text-private",
            Self::TextSingle => "text-single",
        }
    }

    /// What is unknown is a text (XEP-0004 §3.3).
    fn from_name(name: &str) -> Self {
        let known = Self::ALL.into_iter().find(|kind| kind.name() == name);
        known.unwrap_or(Self::TextSingle)
    }
}

/// One of the values that a list offers (XEP-0004 §3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// For people.
    pub label: Option<String>,
    /// What is submitted.
    pub value: String,
}

/// What goes as a value of a field, beyond what its type says (XEP-0122 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validation {
    /// Of a list: other values as well (§3.2.2).
    Open,
    /// Whole numbers from one to another (§3.2.3).
    Range {
        /// The smallest.
        least: u64,
        /// The largest.
        most: u64,
    },
}

/// A field of a form (XEP-0004 §3.2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Field {
    /// Its name; only a fixed one has none.
    pub var: Option<String>,
    /// What its values are; who fills a form in need not say it.
    pub kind: Option<FieldType>,
    /// Its name for people.
    pub label: Option<String>,
    /// What it is, for people.
    pub description: Option<String>,
    /// The form is not valid without it.
    pub is_required: bool,
    /// What a list offers.
    pub options: Vec<Choice>,
    /// What goes beyond its type.
    pub validation: Option<Validation>,
    /// Defaults, what was filled in, or results.
    pub values: Vec<String>,
}

impl Field {
    /// A field without a value.
    #[must_use]
    pub fn new(kind: FieldType, var: impl Into<String>) -> Self {
        Self {
            var: Some(var.into()),
            kind: Some(kind),
            ..Self::default()
        }
    }

    /// The field that says what the form is about.
    #[must_use]
    pub fn form_type(namespace: impl Into<String>) -> Self {
        Self::new(FieldType::Hidden, FORM_TYPE).value(namespace)
    }

    /// A yes or no.
    #[must_use]
    pub fn boolean(var: impl Into<String>, value: bool) -> Self {
        let value = if value { "1" } else { "0" };
        Self::new(FieldType::Boolean, var).value(value)
    }

    /// The same with one value more.
    #[must_use]
    pub fn value(mut self, value: impl Into<String>) -> Self {
        self.values.push(value.into());
        self
    }

    /// The same with more values.
    #[must_use]
    pub fn values<V: Into<String>>(mut self, values: impl IntoIterator<Item = V>) -> Self {
        self.values.extend(values.into_iter().map(Into::into));
        self
    }

    /// The same with a name for people.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// The same, and the form is not valid without it.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    /// The same with one option more, and its name for people.
    #[must_use]
    pub fn option(mut self, value: impl Into<String>, label: impl Into<String>) -> Self {
        self.options.push(Choice {
            label: Some(label.into()),
            value: value.into(),
        });
        self
    }

    /// The same with this for its values.
    #[must_use]
    pub fn valid(mut self, validation: Validation) -> Self {
        self.validation = Some(validation);
        self
    }

    fn write(&self, parent: &mut Writer<'_>) {
        let mut field = parent
            .open("field")
            .attribute_opt("var", self.var.as_deref())
            .attribute_opt("type", self.kind.map(FieldType::name))
            .attribute_opt("label", self.label.as_deref());
        if let Some(description) = &self.description {
            field.open("desc").text(description);
        }
        if self.is_required {
            field.open("required").close();
        }
        if let Some(validation) = self.validation {
            validation.write(&mut field);
        }
        for value in &self.values {
            field.open("value").text(value);
        }
        for option in &self.options {
            let mut element = field
                .open("option")
                .attribute_opt("label", option.label.as_deref());
            element.open("value").text(&option.value);
        }
    }

    fn read(field: &Element) -> Self {
        let mut read = Self {
            var: field.attribute("var").map(Cow::into_owned),
            kind: field
                .attribute("type")
                .map(|name| FieldType::from_name(&name)),
            label: field.attribute("label").map(Cow::into_owned),
            validation: Validation::read(field),
            ..Self::default()
        };
        for child in field
            .children()
            .filter(|child| child.namespace() == ns::FORM)
        {
            match child.name() {
                "desc" => read.description = Some(child.text().into_owned()),
                "required" => read.is_required = true,
                "value" => read.values.push(child.text().into_owned()),
                "option" => read.options.extend(Choice::read(child)),
                _ => {}
            }
        }
        read
    }
}

impl Validation {
    fn write(self, field: &mut Writer<'_>) {
        let datatype = match self {
            Self::Open => "xs:string",
            Self::Range { .. } => "xs:integer",
        };
        let mut validate = field
            .open("validate")
            .namespace(ns::FORM_VALIDATE)
            .attribute("datatype", datatype);
        match self {
            Self::Open => validate.open("open").close(),
            Self::Range { least, most } => validate
                .open("range")
                .attribute("min", &least.to_string())
                .attribute("max", &most.to_string())
                .close(),
        }
    }

    /// `None` also for what is none of these.
    fn read(field: &Element) -> Option<Self> {
        let validate = field.child(ns::FORM_VALIDATE, "validate")?;
        if validate.child(ns::FORM_VALIDATE, "open").is_some() {
            return Some(Self::Open);
        }
        let range = validate.child(ns::FORM_VALIDATE, "range")?;
        let end = |name| range.attribute(name)?.parse().ok();
        let (least, most) = (end("min")?, end("max")?);
        Some(Self::Range { least, most })
    }
}

impl Choice {
    /// `None` for an option without a value: there is nothing to choose.
    fn read(option: Child<'_>) -> Option<Self> {
        Some(Self {
            label: option.attribute("label").map(Cow::into_owned),
            value: option.child(ns::FORM, "value")?.text().into_owned(),
        })
    }
}

/// A whole form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// What it is for.
    pub kind: FormKind,
    /// Its name for people.
    pub title: Option<String>,
    /// What people have to do with it.
    pub instructions: Vec<String>,
    /// What is asked, or told.
    pub fields: Vec<Field>,
    /// The head of a table of results; then there are no `fields`
    /// (XEP-0004 §3.4).
    pub reported: Vec<Field>,
    /// The rows of that table.
    pub items: Vec<Vec<Field>>,
}

impl Form {
    /// A form about `namespace`, with this as its first field (XEP-0068 §3).
    #[must_use]
    pub fn new(kind: FormKind, namespace: &str) -> Self {
        Self {
            fields: vec![Field::form_type(namespace)],
            ..Self::empty(kind)
        }
    }

    /// A form with nothing in it.
    #[must_use]
    pub fn empty(kind: FormKind) -> Self {
        Self {
            kind,
            title: None,
            instructions: Vec::new(),
            fields: Vec::new(),
            reported: Vec::new(),
            items: Vec::new(),
        }
    }

    /// The same with more fields.
    #[must_use]
    pub fn with(mut self, fields: impl IntoIterator<Item = Field>) -> Self {
        self.fields.extend(fields);
        self
    }

    /// The first field of this name.
    #[must_use]
    pub fn field(&self, var: &str) -> Option<&Field> {
        let mut fields = self.fields.iter();
        fields.find(|field| field.var.as_deref() == Some(var))
    }

    /// Writes the element `x`.
    pub fn write(&self, parent: &mut Writer<'_>) {
        let mut form = parent
            .open("x")
            .namespace(ns::FORM)
            .attribute("type", self.kind.name());
        if let Some(title) = &self.title {
            form.open("title").text(title);
        }
        for instructions in &self.instructions {
            form.open("instructions").text(instructions);
        }
        if !self.reported.is_empty() {
            write_fields(&mut form.open("reported"), &self.reported);
        }
        for item in &self.items {
            write_fields(&mut form.open("item"), item);
        }
        write_fields(&mut form, &self.fields);
    }

    /// Reads the element `x`; what is not of its namespace is ignored.
    ///
    /// # Errors
    /// [`FormFault::NoForm`] or [`FormFault::Kind`].
    pub fn read(form: Child<'_>) -> Result<Self, FormFault> {
        if !form.is(ns::FORM, "x") {
            return Err(FormFault::NoForm);
        }
        let kind = form.attribute("type").ok_or(FormFault::Kind)?;
        let mut kinds = FormKind::ALL.into_iter();
        let kind = kinds.find(|known| known.name() == kind);
        let mut read = Self::empty(kind.ok_or(FormFault::Kind)?);
        for child in form
            .children()
            .filter(|child| child.namespace() == ns::FORM)
        {
            match child.name() {
                "title" => read.title = Some(child.text().into_owned()),
                "instructions" => read.instructions.push(child.text().into_owned()),
                "field" => read.fields.push(Field::read(&child)),
                "reported" => read.reported = read_fields(&child),
                "item" => read.items.push(read_fields(&child)),
                _ => {}
            }
        }
        Ok(read)
    }
}

fn write_fields(parent: &mut Writer<'_>, fields: &[Field]) {
    for field in fields {
        field.write(parent);
    }
}

fn read_fields(parent: &Element) -> Vec<Field> {
    let fields = parent
        .children()
        .filter(|child| child.is(ns::FORM, "field"));
    fields.map(|field| Field::read(&field.open())).collect()
}

#[cfg(test)]
mod tests;
