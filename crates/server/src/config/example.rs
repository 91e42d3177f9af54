//! The example configuration: every option, what it does, and its default, made
//! from the structs themselves.

use super::Config;
use super::check::range;
use schemars::{Schema, schema_for};
use serde_json::{Map, Value};
use std::fmt::Write;
use std::ops::RangeInclusive;

/// The whole of it. Every option is commented out, so that the file is valid as
/// it is and changes nothing.
pub(crate) fn example() -> String {
    let schema = schema_for!(Config);
    let defaults = serde_json::to_value(Config::default());
    let defaults = defaults.expect("a configuration has a JSON form");
    let mut text = String::from(
        "# Everything that can be configured, with its default. \
         Remove the # in front of an\n# option to change it.\n",
    );
    let (sections, options): (Vec<_>, Vec<_>) = properties(schema.as_value())
        .into_iter()
        .partition(|(_, property)| is_section(property, schema.as_value()));
    for (name, property) in &options {
        write_option(&mut text, name, property, None, &defaults[name]);
    }
    for (name, property) in &sections {
        write_section(&mut text, name, property, &schema, &defaults[name]);
    }
    text
}

fn write_section(
    text: &mut String,
    name: &str,
    property: &Value,
    schema: &Schema,
    defaults: &Value,
) {
    text.push('\n');
    write_comment(text, property);
    push(text, format_args!("[{name}]\n"));
    for (option, property) in properties(resolve(property, schema.as_value())) {
        let range = range(name, &option);
        write_option(text, &option, &property, range, &defaults[&option]);
    }
}

fn write_option(
    text: &mut String,
    name: &str,
    property: &Value,
    range: Option<&RangeInclusive<u64>>,
    default: &Value,
) {
    text.push('\n');
    write_comment(text, property);
    if let Some(range) = range {
        let (from, to) = (range.start(), range.end());
        push(text, format_args!("# From {from} to {to}.\n"));
    }
    match default {
        Value::Null => push(text, format_args!("#{name} = \"\"\n")),
        default => push(text, format_args!("#{name} = {default}\n")),
    }
}

fn write_comment(text: &mut String, property: &Value) {
    let description = property["description"].as_str().unwrap_or_default();
    for line in description.lines() {
        push(text, format_args!("# {line}\n"));
    }
}

fn push(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what)
        .expect("writing to memory does not fail");
}

/// The properties of an object, in the order of the struct's fields.
fn properties(schema: &Value) -> Map<String, Value> {
    let properties = schema["properties"].as_object();
    properties.cloned().unwrap_or_default()
}

fn is_section(property: &Value, root: &Value) -> bool {
    let schema = resolve(property, root);
    schema["properties"].is_object() || schema["additionalProperties"].is_object()
}

/// What a reference into the definitions stands for.
fn resolve<'a>(property: &'a Value, root: &'a Value) -> &'a Value {
    let name = property["$ref"]
        .as_str()
        .and_then(|path| path.strip_prefix("#/$defs/"));
    match name {
        Some(name) => &root["$defs"][name],
        None => property,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_valid_and_changes_nothing() {
        let config: Config = toml::from_str(&example()).unwrap();
        assert_eq!(config, Config::default());
    }

    #[test]
    fn every_option_of_the_example_is_valid_when_it_is_not_commented_out() {
        let uncommented: String = example()
            .lines()
            .filter(|line| !line.starts_with("# ") && !line.ends_with("= \"\""))
            .map(|line| line.trim_start_matches('#').to_owned() + "\n")
            .collect();
        let config: Config = toml::from_str(&uncommented).unwrap();
        assert_eq!(config, Config::default());
        for option in ["domains", "data", "stanza_bytes", "scram_iterations"] {
            assert!(uncommented.contains(&format!("{option} = ")), "{option}");
        }
    }

    #[test]
    fn every_number_says_from_where_to_where_it_goes() {
        let example = example();
        let lines: Vec<_> = example.lines().collect();
        let is_number = |line: &str| line.parse::<u64>().is_ok();
        for (number, line) in lines.iter().enumerate() {
            if line.split(" = ").nth(1).is_some_and(is_number) {
                assert!(lines[number - 1].starts_with("# From "), "{line}");
            }
        }
        assert!(example.contains("# From 10000 to 16777216.\n#stanza_bytes = "));
    }

    #[test]
    fn every_option_says_what_it_does() {
        let example = example();
        let lines: Vec<_> = example.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let is_option = line.starts_with('#') && !line.starts_with("# ");
            if is_option || line.starts_with('[') {
                assert!(lines[number - 1].starts_with("# "), "{line}");
            }
        }
    }
}
