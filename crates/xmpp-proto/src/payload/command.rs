//! Commands with forms (XEP-0050): one layer for whatever can be commanded.

use super::form::{Form, FormFault, FormKind, Submission};
use crate::{Advice, DefinedCondition, Detail, StanzaError, ns};
use anser_xml::{Child, Writer};
use std::borrow::Cow;

/// What somebody wants with a command (XEP-0050 §4.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Action {
    /// Begin it, or go on as the last answer proposes.
    #[default]
    Execute,
    /// Give it up.
    Cancel,
    /// Go back to the stage before.
    Previous,
    /// Go on to the next stage.
    Next,
    /// Carry it out.
    Complete,
}

impl Action {
    const ALL: [Self; 5] = [
        Self::Execute,
        Self::Cancel,
        Self::Previous,
        Self::Next,
        Self::Complete,
    ];

    /// The value of the attribute `action`, and the name of the element among
    /// the actions that are allowed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Execute => "execute",
            Self::Cancel => "cancel",
            Self::Previous => "prev",
            Self::Next => "next",
            Self::Complete => "complete",
        }
    }
}

/// A stage of a command as somebody has sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Which command.
    pub node: String,
    /// Which execution of it, from the second stage on.
    pub session: Option<String>,
    /// What is wanted.
    pub action: Action,
    /// What was filled in.
    pub form: Option<Submission>,
}

/// Why a stage cannot be taken (XEP-0050 §5.4).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandFault {
    /// It does not say which command.
    #[error("the command has no node")]
    NoNode,
    /// The action is none of those that there are.
    #[error("there is no such action")]
    MalformedAction,
    /// The action does not go in this stage.
    #[error("{} does not go here", action.name())]
    BadAction {
        /// Which.
        action: Action,
    },
    /// The execution is nobody's, or somebody else's.
    #[error("the session is not one of yours")]
    BadSession,
    /// What was filled in cannot be used.
    #[error("{reason}")]
    BadPayload {
        /// Why.
        reason: Cow<'static, str>,
    },
}

impl From<FormFault> for CommandFault {
    fn from(fault: FormFault) -> Self {
        Self::BadPayload {
            reason: fault.to_string().into(),
        }
    }
}

/// XEP-0050 §5.4, table 4
impl From<CommandFault> for StanzaError {
    fn from(fault: CommandFault) -> Self {
        let detail = match &fault {
            CommandFault::NoNode => None,
            CommandFault::MalformedAction => Some("malformed-action"),
            CommandFault::BadAction { .. } => Some("bad-action"),
            CommandFault::BadSession => Some("bad-sessionid"),
            CommandFault::BadPayload { .. } => Some("bad-payload"),
        };
        let error = DefinedCondition::BadRequest.because(fault);
        match detail {
            Some(name) => error.detailed(Detail::new(ns::COMMANDS, name)),
            None => error,
        }
    }
}

/// Whoever asks may not give the command: unlike elsewhere, there is no use in
/// trying as somebody else (XEP-0050 §5.4, table 4).
#[must_use]
pub fn forbidden() -> StanzaError {
    StanzaError {
        advice: Advice::Cancel,
        ..DefinedCondition::Forbidden.into()
    }
}

/// What is to be done for a command that has one form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Show the form.
    Ask,
    /// Carry it out.
    Do(Submission),
}

impl Request {
    /// Reads the element `command`.
    ///
    /// # Errors
    /// [`CommandFault`]
    pub fn read(command: Child<'_>) -> Result<Self, CommandFault> {
        let node = command.attribute("node").ok_or(CommandFault::NoNode)?;
        let action = match command.attribute("action") {
            None => Some(Action::default()),
            Some(name) => Action::ALL.into_iter().find(|one| one.name() == name),
        };
        let form = command.open();
        let form = form.child(ns::FORM, "x").map(read_form).transpose()?;
        Ok(Self {
            node: node.into_owned(),
            session: command.attribute("sessionid").map(Cow::into_owned),
            action: action.ok_or(CommandFault::MalformedAction)?,
            form,
        })
    }

    /// What is to be done if the command has one form, which may come without
    /// having been asked for; `None` if it is given up.
    ///
    /// # Errors
    /// [`CommandFault::BadAction`] or `BadPayload`.
    pub fn step(self) -> Result<Option<Step>, CommandFault> {
        let is_first = self.session.is_none();
        match (self.action, self.form) {
            (Action::Cancel, _) => Ok(None),
            (action @ (Action::Previous | Action::Next), _) => {
                Err(CommandFault::BadAction { action })
            }
            (Action::Execute | Action::Complete, Some(form)) => Ok(Some(Step::Do(form))),
            (Action::Execute, None) if is_first => Ok(Some(Step::Ask)),
            (Action::Execute | Action::Complete, None) => Err(FormFault::NoForm.into()),
        }
    }

    /// The same if the command has no form; whether it is to be carried out, or
    /// given up.
    ///
    /// # Errors
    /// [`CommandFault::BadAction`]
    pub fn is_go(&self) -> Result<bool, CommandFault> {
        match self.action {
            Action::Cancel => Ok(false),
            Action::Execute | Action::Complete => Ok(true),
            action @ (Action::Previous | Action::Next) => Err(CommandFault::BadAction { action }),
        }
    }
}

/// A form that is given up counts as filled in: that is what the action is for
/// (XEP-0050 §4.3.1).
fn read_form(form: Child<'_>) -> Result<Submission, CommandFault> {
    let form = Form::read(form)?;
    match form.kind {
        FormKind::Submit | FormKind::Cancel => Ok(Submission::try_from(form)?),
        FormKind::Form | FormKind::Result => Err(FormFault::Kind.into()),
    }
}

/// How a command stands (XEP-0050 §5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status<'a> {
    /// There is more to be filled in.
    Executing {
        /// What goes in this stage, beside giving it up.
        allowed: &'a [Action],
        /// What [`Action::Execute`] means in it.
        default: Action,
    },
    /// It is done, whether or not that went well.
    Completed,
    /// It was given up.
    Canceled,
}

impl Status<'_> {
    /// Of the only stage of a command with one form.
    pub const LAST_STAGE: Self = Self::Executing {
        allowed: &[Action::Complete],
        default: Action::Complete,
    };

    fn name(self) -> &'static str {
        match self {
            Self::Executing { .. } => "executing",
            Self::Completed => "completed",
            Self::Canceled => "canceled",
        }
    }
}

/// The answer to a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Response<'a> {
    /// Which command.
    pub node: &'a str,
    /// Which execution of it.
    pub session: &'a str,
    /// How it stands.
    pub status: Status<'a>,
    /// What is to be filled in, or what came of it.
    pub form: Option<&'a Form>,
}

impl Response<'_> {
    /// Writes the element `command`.
    pub fn write(&self, iq: &mut Writer<'_>) {
        let mut command = iq
            .open("command")
            .namespace(ns::COMMANDS)
            .attribute("node", self.node)
            .attribute("sessionid", self.session)
            .attribute("status", self.status.name());
        if let Status::Executing { allowed, default } = self.status {
            let mut actions = command.open("actions").attribute("execute", default.name());
            for action in allowed {
                actions.open(action.name()).close();
            }
        }
        if let Some(form) = self.form {
            form.write(&mut command);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::form::Field;
    use crate::sample::{element, in_iq};

    const SUBMIT: &str =
        "<x xmlns='jabber:x:data' type='submit'><field var='a'><value>1</value></field></x>";

    fn read(attributes: &str, content: &str) -> Result<Request, CommandFault> {
        let iq = element(&format!(
            "<iq><command xmlns='http://jabber.org/protocol/commands' {attributes}>\
             {content}</command></iq>"
        ));
        Request::read(iq.children().next().unwrap())
    }

    fn details(fault: CommandFault) -> Option<&'static str> {
        let error = StanzaError::from(fault);
        assert_eq!(error.condition, DefinedCondition::BadRequest);
        error.detail.map(|detail| detail.name)
    }

    /// XEP-0050 §3.4
    #[test]
    fn a_command_with_one_form_is_begun_and_carried_out_or_given_up() {
        let step = |attributes: &str, content: &str| read(attributes, content)?.step();
        assert_eq!(step("node='n'", ""), Ok(Some(Step::Ask)));
        assert_eq!(step("node='n' action='execute'", ""), Ok(Some(Step::Ask)));
        for action in ["", "action='execute'", "action='complete'"] {
            let done = step(&format!("node='n' sessionid='s' {action}"), SUBMIT);
            assert!(matches!(done, Ok(Some(Step::Do(_)))), "{action}");
        }
        // XEP-0317 §4.3 sends the form at once.
        assert!(matches!(step("node='n'", SUBMIT), Ok(Some(Step::Do(_)))));
        assert_eq!(step("node='n' sessionid='s' action='cancel'", ""), Ok(None));
    }

    /// XEP-0050 §5.4, table 4
    #[test]
    fn what_does_not_fit_a_stage_is_a_bad_request_with_a_reason() {
        let step = |attributes: &str, content: &str| read(attributes, content)?.step();
        let form = SUBMIT.replace("submit", "form");
        for (attributes, content, expected) in [
            ("", "", None),
            ("node='n' action='dance'", "", Some("malformed-action")),
            ("node='n' action='prev'", "", Some("bad-action")),
            ("node='n' action='next'", SUBMIT, Some("bad-action")),
            ("node='n' sessionid='s'", "", Some("bad-payload")),
            ("node='n' action='complete'", "", Some("bad-payload")),
            ("node='n'", &form, Some("bad-payload")),
        ] {
            let fault = step(attributes, content).unwrap_err();
            assert_eq!(details(fault), expected, "{attributes}");
        }
        assert_eq!(details(CommandFault::BadSession), Some("bad-sessionid"));
        let back = read("node='n' action='prev'", "").unwrap().is_go();
        assert_eq!(details(back.unwrap_err()), Some("bad-action"));
    }

    /// XEP-0050 §4.3.1: "Responders SHOULD consider any <x type='cancel'/> to be
    /// <x type='submit'/>".
    #[test]
    fn a_form_that_is_given_up_is_one_that_is_filled_in() {
        let form = SUBMIT.replace("submit", "cancel");
        let step = read("node='n'", &form).unwrap().step();
        assert!(matches!(step, Ok(Some(Step::Do(_)))));
    }

    /// XEP-0050 §3.4.2
    #[test]
    fn an_answer_says_how_the_command_stands_and_what_may_come_next() {
        let form = Form::empty(FormKind::Form).with([Field::boolean("a", true)]);
        let stage = Response {
            node: "n",
            session: "s'",
            status: Status::LAST_STAGE,
            form: Some(&form),
        };
        assert_eq!(
            in_iq(|iq| stage.write(iq)),
            "<command xmlns='http://jabber.org/protocol/commands' node='n' sessionid='s&apos;' \
             status='executing'><actions execute='complete'><complete/></actions>\
             <x xmlns='jabber:x:data' type='form'><field var='a' type='boolean'>\
             <value>1</value></field></x></command>"
        );
        let end = Response {
            status: Status::Completed,
            form: None,
            ..stage
        };
        assert_eq!(
            in_iq(|iq| end.write(iq)),
            "<command xmlns='http://jabber.org/protocol/commands' node='n' sessionid='s&apos;' \
             status='completed'/>"
        );
    }
}
