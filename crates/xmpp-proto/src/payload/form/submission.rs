//! A form as somebody has filled it in, read field by field (XEP-0004 §3.1, §4).

use super::{FORM_TYPE, Form, FormKind};
use crate::{DefinedCondition, StanzaError};
use anser_jid::Jid;
use anser_xml::Child;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// The longest name of a field, in bytes: it stands in what is answered.
const MOST_VAR_BYTES: usize = 256;

/// Why a form cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormFault {
    /// It is no form at all.
    #[error("a form is missing")]
    NoForm,
    /// Its type is not one of those that there are, or not the one for here.
    #[error("the form does not have the type that is needed here")]
    Kind,
    /// It is about something else (XEP-0068 §3).
    #[error("the form's FORM_TYPE is not {expected}")]
    About {
        /// What it should be about.
        expected: &'static str,
    },
    /// A field has no name.
    #[error("a field has no name, or one of more than {MOST_VAR_BYTES} bytes")]
    Nameless,
    /// A field is there more than once.
    #[error("the field {field} is there twice")]
    Twice {
        /// Which.
        field: String,
    },
    /// There is no such field.
    #[error("there is no field {field}")]
    Unknown {
        /// Which.
        field: String,
    },
    /// A field is needed.
    #[error("the field {field} is missing")]
    Missing {
        /// Which.
        field: &'static str,
    },
    /// A field has more values than one.
    #[error("the field {field} has {got} values and can have one")]
    Values {
        /// Which.
        field: &'static str,
        /// How many values it has.
        got: usize,
    },
    /// A value is not what it has to be.
    #[error("the field {field} is not {expected}")]
    Value {
        /// Which.
        field: &'static str,
        /// What its value has to be.
        expected: &'static str,
    },
    /// A number is too small or too large.
    #[error("the field {field} is not a number from {least} to {most}")]
    Number {
        /// Which.
        field: &'static str,
        /// The smallest that goes.
        least: u64,
        /// The largest that goes.
        most: u64,
    },
}

/// What is no form for here is a bad request, and what does not fit into it is
/// not acceptable (XEP-0004 §4).
impl From<FormFault> for StanzaError {
    fn from(fault: FormFault) -> Self {
        let condition = match fault {
            FormFault::NoForm
            | FormFault::Kind
            | FormFault::About { .. }
            | FormFault::Nameless
            | FormFault::Twice { .. } => DefinedCondition::BadRequest,
            FormFault::Unknown { .. }
            | FormFault::Missing { .. }
            | FormFault::Values { .. }
            | FormFault::Value { .. }
            | FormFault::Number { .. } => DefinedCondition::NotAcceptable,
        };
        condition.because(fault)
    }
}

/// What has become of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filled {
    /// It was filled in.
    Submitted(Submission),
    /// It was not.
    Cancelled,
}

/// What was filled in. Every way of reading a field gives `None` if it is not
/// there, or has no value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Submission {
    fields: BTreeMap<String, Vec<String>>,
}

impl Filled {
    /// Reads the element `x` of somebody who had to fill in a form about
    /// `namespace`.
    ///
    /// # Errors
    /// [`FormFault::NoForm`], `Kind`, `About`, `Nameless` or `Twice`.
    pub fn read(form: Child<'_>, namespace: &'static str) -> Result<Self, FormFault> {
        let form = Form::read(form)?;
        match form.kind {
            FormKind::Cancel => Ok(Self::Cancelled),
            FormKind::Submit => {
                let submission = Submission::try_from(form)?;
                submission.check_about(namespace)?;
                Ok(Self::Submitted(submission))
            }
            FormKind::Form | FormKind::Result => Err(FormFault::Kind),
        }
    }
}

impl TryFrom<Form> for Submission {
    type Error = FormFault;

    /// Fails with [`FormFault::Nameless`] or [`FormFault::Twice`].
    fn try_from(form: Form) -> Result<Self, FormFault> {
        let mut fields = BTreeMap::new();
        for field in form.fields {
            // A fixed text may be nameless, and says nothing.
            let Some(var) = field.var else {
                if field.kind == Some(super::FieldType::Fixed) {
                    continue;
                }
                return Err(FormFault::Nameless);
            };
            if var.is_empty() || var.len() > MOST_VAR_BYTES {
                return Err(FormFault::Nameless);
            }
            if fields.contains_key(&var) {
                return Err(FormFault::Twice { field: var });
            }
            fields.insert(var, field.values);
        }
        Ok(Self { fields })
    }
}

impl Submission {
    /// What the form is about, if it says that.
    #[must_use]
    pub fn form_type(&self) -> Option<&str> {
        self.all(FORM_TYPE)?.first().map(String::as_str)
    }

    fn check_about(&self, expected: &'static str) -> Result<(), FormFault> {
        if self.form_type() == Some(expected) {
            Ok(())
        } else {
            Err(FormFault::About { expected })
        }
    }

    /// For where what nobody knows is not ignored.
    ///
    /// # Errors
    /// [`FormFault::Unknown`] with the first field that is not `known`.
    pub fn check_known(&self, known: &[&str]) -> Result<(), FormFault> {
        let mut vars = self.vars();
        match vars.find(|var| !known.contains(var)) {
            Some(unknown) => Err(FormFault::Unknown {
                field: unknown.to_owned(),
            }),
            None => Ok(()),
        }
    }

    /// The names of its fields, without the one that says what it is about.
    pub fn vars(&self) -> impl Iterator<Item = &str> {
        let vars = self.fields.keys().map(String::as_str);
        vars.filter(|var| *var != FORM_TYPE)
    }

    /// Whether a field is there, with a value or without.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// All values of a field.
    #[must_use]
    pub fn all(&self, field: &str) -> Option<&[String]> {
        let values = self.fields.get(field)?;
        (!values.is_empty()).then_some(values)
    }

    /// The one value of a field, which may be empty.
    ///
    /// # Errors
    /// [`FormFault::Values`]
    pub fn text(&self, field: &'static str) -> Result<Option<&str>, FormFault> {
        match self.all(field) {
            None => Ok(None),
            Some([value]) => Ok(Some(value)),
            Some(values) => Err(FormFault::Values {
                field,
                got: values.len(),
            }),
        }
    }

    /// A yes or no (XEP-0004 §3.3: `1`, `true`, `0`, `false`).
    ///
    /// # Errors
    /// [`FormFault::Values`] or [`FormFault::Value`]
    pub fn boolean(&self, field: &'static str) -> Result<Option<bool>, FormFault> {
        self.one(field, "a boolean", |text| match text {
            "1" | "true" => Some(true),
            "0" | "false" => Some(false),
            _ => None,
        })
    }

    /// A number.
    ///
    /// # Errors
    /// [`FormFault::Values`] or [`FormFault::Number`]
    pub fn integer(
        &self,
        field: &'static str,
        range: RangeInclusive<u64>,
    ) -> Result<Option<u64>, FormFault> {
        let Some(text) = self.text(field)? else {
            return Ok(None);
        };
        let number = text.trim().parse().ok();
        let number = number.filter(|number| range.contains(number));
        number.map(Some).ok_or(FormFault::Number {
            field,
            least: *range.start(),
            most: *range.end(),
        })
    }

    /// An address.
    ///
    /// # Errors
    /// [`FormFault::Values`] or [`FormFault::Value`]
    pub fn jid(&self, field: &'static str) -> Result<Option<Jid>, FormFault> {
        self.one(field, AN_ADDRESS, |text| Jid::parse(text).ok())
    }

    /// Addresses; the second of two that are the same is ignored, and so is an
    /// empty value, which some clients have for an empty list.
    ///
    /// # Errors
    /// [`FormFault::Value`]
    pub fn jids(&self, field: &'static str) -> Result<Option<Vec<Jid>>, FormFault> {
        let Some(values) = self.all(field) else {
            return Ok(None);
        };
        let mut seen = std::collections::HashSet::new();
        let mut jids = Vec::with_capacity(values.len());
        let values = values.iter().map(|value| value.trim());
        for value in values.filter(|value| !value.is_empty()) {
            let jid = Jid::parse(value).map_err(|_| FormFault::Value {
                field,
                expected: AN_ADDRESS,
            })?;
            if seen.insert(jid.clone()) {
                jids.push(jid);
            }
        }
        Ok(Some(jids))
    }

    /// One of `options`.
    ///
    /// # Errors
    /// [`FormFault::Values`] or [`FormFault::Value`]
    pub fn choice<T: Copy>(
        &self,
        field: &'static str,
        options: &[(&str, T)],
    ) -> Result<Option<T>, FormFault> {
        self.one(field, AN_OPTION, |text| chosen(text, options))
    }

    /// Some of `options`, in the order in which they were chosen.
    ///
    /// # Errors
    /// [`FormFault::Value`]
    pub fn choices<T: Copy>(
        &self,
        field: &'static str,
        options: &[(&str, T)],
    ) -> Result<Option<Vec<T>>, FormFault> {
        let Some(values) = self.all(field) else {
            return Ok(None);
        };
        let chosen = values.iter().map(|value| chosen(value, options));
        let chosen: Option<_> = chosen.collect();
        chosen.map(Some).ok_or(FormFault::Value {
            field,
            expected: AN_OPTION,
        })
    }

    /// The one value of a field, as `read` takes it; `expected` says what that
    /// is, for whoever sent something else.
    ///
    /// # Errors
    /// [`FormFault::Values`] or [`FormFault::Value`]
    pub fn one<T>(
        &self,
        field: &'static str,
        expected: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, FormFault> {
        let Some(text) = self.text(field)? else {
            return Ok(None);
        };
        let value = read(text.trim());
        value.map(Some).ok_or(FormFault::Value { field, expected })
    }
}

/// What a field has to have.
///
/// # Errors
/// [`FormFault::Missing`]
pub fn required<T>(field: &'static str, value: Option<T>) -> Result<T, FormFault> {
    value.ok_or(FormFault::Missing { field })
}

const AN_ADDRESS: &str = "an address";
const AN_OPTION: &str = "one of the options";

fn chosen<T: Copy>(text: &str, options: &[(&str, T)]) -> Option<T> {
    let mut options = options.iter();
    options
        .find(|(value, _)| *value == text)
        .map(|(_, meaning)| *meaning)
}
