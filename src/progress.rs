//! How long work tells its caller where it stands.
//!
//! Parallel loops run in slices, and between two slices the calling thread reports. In the browser
//! that thread is the engine's worker, whose messages leave at once although it does not yield: so the
//! page sees progress with and without threads, and cancels by ending the worker.

/// Receives the name of the stage and the share of it that is done, 0 to 1.
pub struct Progress<'a>(Option<&'a Report<'a>>);

/// Called with a stage and its share.
type Report<'a> = dyn Fn(&str, f64) + 'a;

impl<'a> Progress<'a> {
    pub fn new(report: &'a dyn Fn(&str, f64)) -> Self {
        Progress(Some(report))
    }

    /// Nobody listens.
    pub fn silent() -> Self {
        Progress(None)
    }

    pub fn report(&self, stage: &str, fraction: f64) {
        if let Some(report) = self.0 {
            report(stage, fraction.clamp(0.0, 1.0));
        }
    }
}
