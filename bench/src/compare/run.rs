//! What single runs found out, before anything is made of it.

use serde::Serialize;
use serde_json::Value;

use super::case::Case;
use super::figure::Spread;
use super::variant::Variant;

/// One load on one server.
#[derive(Debug, Serialize)]
pub(crate) struct Run {
    /// From 1 on.
    pub(crate) round: u32,
    /// The case's name.
    pub(crate) case: &'static str,
    /// The server.
    #[serde(flatten)]
    pub(crate) variant: Variant,
    /// The file system under the server's data.
    pub(crate) data_on: String,
    /// Of the last minute, before the run.
    pub(crate) load_average: f64,
    /// What was run.
    pub(crate) command: String,
    /// What left on the server what the load finds there: the arguments of another load.
    pub(crate) given_by: Option<&'static str>,
    /// What the load reported.
    pub(crate) report: Option<Value>,
    /// Whether all went as it should, so that the figures count.
    pub(crate) sound: bool,
    /// Why there is no report.
    pub(crate) error: Option<String>,
}

impl Run {
    /// A figure of the report (RFC 6901).
    pub(crate) fn figure(&self, pointer: &str) -> Option<f64> {
        self.report.as_ref()?.pointer(pointer)?.as_f64()
    }

    /// What went wrong, if anything did that has a name.
    pub(crate) fn fault(&self) -> Option<&str> {
        let failure = || self.report.as_ref()?.get("first_failure")?.as_str();
        self.error.as_deref().or_else(failure)
    }
}

/// The runs of a case on a server.
pub(crate) fn runs_of<'a>(runs: &'a [Run], case: &Case, variant: Variant) -> Vec<&'a Run> {
    let is_one = |run: &&Run| run.case == case.name && run.variant == variant;
    runs.iter().filter(is_one).collect()
}

/// A figure over those of the runs that are sound.
pub(crate) fn spread(runs: &[&Run], pointer: &str) -> Option<Spread> {
    let sound = runs.iter().filter(|run| run.sound);
    Spread::of(sound.filter_map(|run| run.figure(pointer)).collect())
}
