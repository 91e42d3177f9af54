use super::*;
use crate::sample::{element, in_iq, jid};
use crate::{DefinedCondition, StanzaError};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::select;

const ABOUT: &str = "urn:example:bot";

fn read(form: &str) -> Result<Form, FormFault> {
    let iq = element(&format!("<iq>{form}</iq>"));
    Form::read(iq.children().next().unwrap())
}

fn filled(form: &str) -> Result<Filled, FormFault> {
    let iq = element(&format!("<iq>{form}</iq>"));
    Filled::read(iq.children().next().unwrap(), ABOUT)
}

fn submitted(fields: &str) -> Result<Submission, FormFault> {
    let form = format!(
        "<x xmlns='jabber:x:data' type='submit'>\
         <field var='FORM_TYPE'><value>{ABOUT}</value></field>{fields}</x>"
    );
    match filled(&form)? {
        Filled::Submitted(submission) => Ok(submission),
        Filled::Cancelled => panic!("{form} was not cancelled"),
    }
}

fn value(var: &str, values: &[&str]) -> String {
    let values: String = values
        .iter()
        .map(|value| format!("<value>{value}</value>"))
        .collect();
    format!("<field var='{var}'>{values}</field>")
}

/// XEP-0004 §3, §3.2
#[test]
fn a_form_has_a_title_instructions_and_fields() {
    let mut form = Form::new(FormKind::Form, ABOUT).with([
        Field::new(FieldType::ListSingle, "maxsubs")
            .label("Most <subscribers>")
            .required()
            .value("20")
            .option("20", "Twenty")
            .option("none", "None"),
        Field::boolean("public", true),
        Field::new(FieldType::TextMulti, "description").values(["one", "two"]),
    ]);
    form.title = Some("A & B".to_owned());
    form.instructions.push("Fill in".to_owned());
    assert_eq!(
        in_iq(|iq| form.write(iq)),
        "<x xmlns='jabber:x:data' type='form'><title>A &amp; B</title>\
         <instructions>Fill in</instructions>\
         <field var='FORM_TYPE' type='hidden'><value>urn:example:bot</value></field>\
         <field var='maxsubs' type='list-single' label='Most &lt;subscribers&gt;'><required/>\
         <value>20</value><option label='Twenty'><value>20</value></option>\
         <option label='None'><value>none</value></option></field>\
         <field var='public' type='boolean'><value>1</value></field>\
         <field var='description' type='text-multi'><value>one</value><value>two</value></field></x>"
    );
}

/// XEP-0122 §3.2
#[test]
fn a_field_says_what_goes_in_it() {
    let range = Validation::Range { least: 0, most: 9 };
    let form = Form::empty(FormKind::Form).with([
        Field::new(FieldType::TextSingle, "n").valid(range),
        Field::new(FieldType::ListMulti, "ids").valid(Validation::Open),
    ]);
    assert_eq!(
        in_iq(|iq| form.write(iq)),
        "<x xmlns='jabber:x:data' type='form'><field var='n' type='text-single'>\
         <validate xmlns='http://jabber.org/protocol/xdata-validate' datatype='xs:integer'>\
         <range min='0' max='9'/></validate></field><field var='ids' type='list-multi'>\
         <validate xmlns='http://jabber.org/protocol/xdata-validate' datatype='xs:string'>\
         <open/></validate></field></x>"
    );
}

/// XEP-0004 §3.4
#[test]
fn a_table_of_results_has_a_head_and_rows() {
    let cell = |value: &str| Field {
        var: Some("name".to_owned()),
        ..Field::default().value(value)
    };
    let mut form = Form::empty(FormKind::Result);
    form.reported = vec![Field::new(FieldType::TextSingle, "name").label("Name")];
    form.items = vec![vec![cell("a")], vec![cell("b")]];
    assert_eq!(
        in_iq(|iq| form.write(iq)),
        "<x xmlns='jabber:x:data' type='result'>\
         <reported><field var='name' type='text-single' label='Name'/></reported>\
         <item><field var='name'><value>a</value></field></item>\
         <item><field var='name'><value>b</value></field></item></x>"
    );
}

/// XEP-0004 §3.1
#[test]
fn what_is_to_be_filled_in_is_submitted_or_cancelled() {
    let cancelled = filled("<x xmlns='jabber:x:data' type='cancel'/>");
    assert_eq!(cancelled, Ok(Filled::Cancelled));
    for (form, fault) in [
        ("<x type='submit'/>", FormFault::NoForm),
        (
            "<y xmlns='jabber:x:data' type='submit'/>",
            FormFault::NoForm,
        ),
        ("<x xmlns='jabber:x:data'/>", FormFault::Kind),
        ("<x xmlns='jabber:x:data' type='form'/>", FormFault::Kind),
        ("<x xmlns='jabber:x:data' type='Submit'/>", FormFault::Kind),
        (
            "<x xmlns='jabber:x:data' type='submit'/>",
            FormFault::About { expected: ABOUT },
        ),
        (
            "<x xmlns='jabber:x:data' type='submit'>\
             <field var='FORM_TYPE'><value>urn:other</value></field></x>",
            FormFault::About { expected: ABOUT },
        ),
    ] {
        assert_eq!(filled(form), Err(fault.clone()), "{form}");
        let error = StanzaError::from(fault);
        assert_eq!(error.condition, DefinedCondition::BadRequest);
    }
}

/// XEP-0004 §3.2: a name identifies a field.
#[test]
fn every_field_has_a_name_of_its_own() {
    let long = "v".repeat(257);
    for (fields, fault) in [
        (
            "<field><value>x</value></field>".to_owned(),
            FormFault::Nameless,
        ),
        (value("", &["x"]), FormFault::Nameless),
        (value(&long, &["x"]), FormFault::Nameless),
        (
            value("a", &["x"]) + &value("a", &[]),
            FormFault::Twice {
                field: "a".to_owned(),
            },
        ),
    ] {
        assert_eq!(submitted(&fields), Err(fault), "{fields}");
    }
    let fixed = "<field type='fixed'><value>Section</value></field>";
    assert_eq!(submitted(fixed).unwrap().vars().count(), 0);
}

/// XEP-0004 §3.3
#[test]
fn values_are_read_as_what_they_have_to_be() {
    let fields = [
        value("yes", &["true"]),
        value("no", &["0"]),
        value("number", &["20"]),
        value("who", &["Bob@Example.org/a"]),
        value(
            "friends",
            &["a@example.org", "A@example.org", "b@example.org", " "],
        ),
        value("size", &["none"]),
        value("features", &["news", "search"]),
        value("empty", &[]),
        value("nothing", &[""]),
    ];
    let form = submitted(&fields.concat()).unwrap();
    assert_eq!(form.form_type(), Some(ABOUT));
    assert_eq!(form.boolean("yes"), Ok(Some(true)));
    assert_eq!(form.boolean("no"), Ok(Some(false)));
    assert_eq!(form.integer("number", 0..=20), Ok(Some(20)));
    assert_eq!(form.jid("who"), Ok(Some(jid("bob@example.org/a"))));
    let friends = vec![jid("a@example.org"), jid("b@example.org")];
    assert_eq!(form.jids("friends"), Ok(Some(friends)));
    let sizes = [("20", Some(20)), ("none", None)];
    assert_eq!(form.choice("size", &sizes), Ok(Some(None)));
    let features = [("search", 1), ("news", 2)];
    assert_eq!(form.choices("features", &features), Ok(Some(vec![2, 1])));
    assert_eq!(form.text("empty"), Ok(None));
    assert_eq!(form.text("nothing"), Ok(Some("")));
    assert!(form.has("empty") && !form.has("absent"));
    assert_eq!(form.boolean("absent"), Ok(None));
    assert_eq!(form.jids("absent"), Ok(None));
}

/// XEP-0004 §4
#[test]
fn what_does_not_fit_names_its_field_and_is_not_acceptable() {
    let fields = [value("a", &["x@"]), value("b", &["x", "y"])];
    let form = submitted(&fields.concat()).unwrap();
    let value = |expected| FormFault::Value {
        field: "a",
        expected,
    };
    for (result, fault) in [
        (form.boolean("a").err(), value("a boolean")),
        (form.jid("a").err(), value("an address")),
        (form.jids("a").err(), value("an address")),
        (
            form.choice("a", &[("x", 1)]).err(),
            value("one of the options"),
        ),
        (
            form.integer("a", 1..=9).err(),
            FormFault::Number {
                field: "a",
                least: 1,
                most: 9,
            },
        ),
        (
            form.text("b").err(),
            FormFault::Values { field: "b", got: 2 },
        ),
        (
            required("c", form.text("c").unwrap()).err(),
            FormFault::Missing { field: "c" },
        ),
        (
            form.check_known(&["a"]).err(),
            FormFault::Unknown {
                field: "b".to_owned(),
            },
        ),
    ] {
        assert_eq!(result, Some(fault.clone()));
        let error = StanzaError::from(fault);
        assert_eq!(error.condition, DefinedCondition::NotAcceptable);
    }
    assert_eq!(form.check_known(&["a", "b"]), Ok(()));
    let too_large = submitted("<field var='n'><value>10</value></field>").unwrap();
    assert!(too_large.integer("n", 1..=9).is_err());
}

/// XEP-0004 §3.3: a type that is unknown is a text.
#[test]
fn what_nobody_knows_is_ignored() {
    let form = read(
        "<x xmlns='jabber:x:data' type='form'><page xmlns='urn:x'/><strange/>\
         <field var='a' type='urn:color'><media xmlns='urn:x'/><value>x</value></field></x>",
    );
    let expected =
        Form::empty(FormKind::Form).with([Field::new(FieldType::TextSingle, "a").value("x")]);
    assert_eq!(form, Ok(expected));
}

fn text() -> impl Strategy<Value = String> {
    "[ -~äß\r\n\t]{0,8}"
}

fn choice() -> impl Strategy<Value = Choice> {
    (option::of(text()), text()).prop_map(|(label, value)| Choice { label, value })
}

fn validation() -> impl Strategy<Value = Option<Validation>> {
    let range = any::<(u64, u64)>().prop_map(|(least, most)| Validation::Range { least, most });
    option::of(prop_oneof![Just(Validation::Open), range])
}

fn field() -> impl Strategy<Value = Field> {
    let kind = option::of(select(FieldType::ALL.to_vec()));
    let names = (option::of(text()), option::of(text()), option::of(text()));
    let lists = (vec(choice(), 0..3), vec(text(), 0..3), validation());
    (names, kind, any::<bool>(), lists).prop_map(|(names, kind, is_required, lists)| Field {
        var: names.0,
        kind,
        label: names.1,
        description: names.2,
        is_required,
        options: lists.0,
        values: lists.1,
        validation: lists.2,
    })
}

fn form() -> impl Strategy<Value = Form> {
    let kind = select(FormKind::ALL.to_vec());
    let texts = (option::of(text()), vec(text(), 0..3));
    let table = (vec(field(), 0..3), vec(vec(field(), 0..3), 0..3));
    let parts = (kind, texts, vec(field(), 0..4), table);
    parts.prop_map(|(kind, texts, fields, table)| Form {
        kind,
        title: texts.0,
        instructions: texts.1,
        fields,
        reported: table.0,
        items: table.1,
    })
}

proptest! {
    #[test]
    fn a_form_that_was_written_is_read_as_it_was(form in form()) {
        let written = in_iq(|iq| form.write(iq));
        prop_assert_eq!(read(&written), Ok(form), "{}", written);
    }
}
