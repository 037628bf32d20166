//! A worker's end of telemetry: its cells and its log buffer.

use super::access_log::WorkerLog;
use super::record::Record;
use super::registry::WorkerMetrics;

pub struct WorkerTelemetry {
    pub metrics: WorkerMetrics,
    log: Option<WorkerLog>,
}

impl WorkerTelemetry {
    /// `log`: `None` where no listener can ask for one.
    pub fn new(metrics: WorkerMetrics, log: Option<WorkerLog>) -> Self {
        Self { metrics, log }
    }

    /// Counts and logs a request that is over, and remembers it where it failed. To be called once
    /// per Record.
    pub fn consume(&mut self, record: &Record) {
        if let Some(route) = &record.route {
            route.count(record);
        }
        self.metrics.note_failure(record);
        if let (Some(log), Some(format)) = (&mut self.log, record.log) {
            log.write(format, record);
        }
    }

    /// Hands buffered log lines on. To be called every `limits::LOG_FLUSH`, and before the worker
    /// ends.
    pub fn flush(&mut self) {
        if let Some(log) = &mut self.log {
            log.flush();
        }
    }
}
