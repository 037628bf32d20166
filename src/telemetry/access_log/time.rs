//! Times and durations in log lines, always UTC.

use std::time::Duration;

/// A moment as a calendar says it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Civil {
    year: u64,
    month: u64,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
    micros: u64,
}

impl Civil {
    pub(super) fn new(since_epoch: Duration) -> Self {
        let seconds = since_epoch.as_secs();
        let (year, month, day) = date(seconds / 86_400);
        Self {
            year,
            month,
            day,
            hour: seconds / 3600 % 24,
            minute: seconds / 60 % 60,
            second: seconds % 60,
            micros: u64::from(since_epoch.subsec_micros()),
        }
    }

    /// RFC 3339: `2026-11-23T18:55:39.000123Z`.
    pub(super) fn push_rfc3339(&self, line: &mut Vec<u8>) {
        push_padded(line, self.year, 4);
        for (mark, value) in [
            (b'-', self.month),
            (b'-', self.day),
            (b'T', self.hour),
            (b':', self.minute),
            (b':', self.second),
        ] {
            line.push(mark);
            push_padded(line, value, 2);
        }
        line.push(b'.');
        push_padded(line, self.micros, 6);
        line.push(b'Z');
    }

    /// The common log format's: `23/Nov/2026:18:55:39 +0000`.
    pub(super) fn push_common(&self, line: &mut Vec<u8>) {
        const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
        let month = (self.month as usize - 1) * 3;
        push_padded(line, self.day, 2);
        line.push(b'/');
        line.extend_from_slice(&MONTHS[month..month + 3]);
        line.push(b'/');
        push_padded(line, self.year, 4);
        for value in [self.hour, self.minute, self.second] {
            line.push(b':');
            push_padded(line, value, 2);
        }
        line.extend_from_slice(b" +0000");
    }
}

/// Seconds with six decimals.
pub(super) fn push_seconds(line: &mut Vec<u8>, duration: Duration) {
    push_number(line, duration.as_secs());
    line.push(b'.');
    push_padded(line, u64::from(duration.subsec_micros()), 6);
}

pub(super) fn push_number(line: &mut Vec<u8>, number: u64) {
    line.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn push_padded(line: &mut Vec<u8>, number: u64, width: usize) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(number).as_bytes();
    line.extend(std::iter::repeat_n(b'0', width.saturating_sub(digits.len())));
    line.extend_from_slice(digits);
}

/// Year, month and day of a day since the epoch (Howard Hinnant, "chrono-Compatible Low-Level
/// Date Algorithms", `civil_from_days`, for days from 1970 on). Years start in March there, so
/// that a leap day is a year's last.
fn date(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests;
