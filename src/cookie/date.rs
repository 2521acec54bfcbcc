//! Dates as HTTP writes them.

use crate::time::UnixTime;

/// 1601-01-01T00:00:00Z: a user agent fails to parse a cookie date of an earlier year (RFC 6265bis section 5.1.1).
const FIRST_SECOND: i64 = -11_644_473_600;

const SECONDS_A_DAY: i64 = 86_400;
/// Days from 0000-03-01, where leap days end their year, to 1970-01-01.
const DAYS_TO_EPOCH: i64 = 719_468;
const DAYS_IN_400_YEARS: i64 = 146_097;

const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Jan", "Feb"];

/// The IMF-fixdate of RFC 9110 section 5.6.7, as in `Sun, 06 Nov 1994 08:49:37 GMT`; fractions of a second are dropped
/// towards the past. `None` before the year 1601.
pub(super) fn imf_fixdate(time: UnixTime) -> Option<String> {
    let seconds = time.whole_seconds();
    if seconds < FIRST_SECOND {
        return None;
    }
    let days = seconds.div_euclid(SECONDS_A_DAY);
    let time_of_day = seconds.rem_euclid(SECONDS_A_DAY);
    let (year, month, day) = civil(days);
    Some(format!(
        "{}, {day:02} {} {year:04} {:02}:{:02}:{:02} GMT",
        pick(&WEEKDAYS, days.rem_euclid(7))?,
        pick(&MONTHS, month)?,
        time_of_day / 3600,
        time_of_day / 60 % 60,
        time_of_day % 60,
    ))
}

/// The Gregorian year, the month counted from March, and the day of the month, of a day counted from 1970-01-01.
///
/// Years are taken to begin in March: then the leap day is the last of its year, and the lengths of the months before
/// it, 31 30 31 30 31 and again, follow the line `153 / 5`.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + DAYS_TO_EPOCH;
    let cycle = days.div_euclid(DAYS_IN_400_YEARS);
    let day_of_cycle = days.rem_euclid(DAYS_IN_400_YEARS);
    // Takes out the leap days: one in 4 years, none in 100, one in 400.
    let without_leap_days =
        day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36_524 - day_of_cycle / (DAYS_IN_400_YEARS - 1);
    let year_of_cycle = without_leap_days / 365;
    let day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    // January and February belong to the next civil year.
    let year = 400 * cycle + year_of_cycle + i64::from(month >= 10);
    (year, month, day)
}

fn pick<'n>(names: &[&'n str], index: i64) -> Option<&'n str> {
    names.get(usize::try_from(index).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(seconds: f64) -> Option<String> {
        imf_fixdate(UnixTime::from_seconds(seconds).unwrap())
    }

    #[test]
    fn dates_are_written_as_in_rfc_9110_section_5_6_7() {
        for (seconds, expected) in [
            (784_111_777.0, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (0.0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (-0.5, "Wed, 31 Dec 1969 23:59:59 GMT"),
            (951_782_400.9, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (951_868_800.0, "Wed, 01 Mar 2000 00:00:00 GMT"),
            (4_107_542_399.0, "Sun, 28 Feb 2100 23:59:59 GMT"),
            (4_107_542_400.0, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (253_402_300_799.0, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (-11_644_473_600.0, "Mon, 01 Jan 1601 00:00:00 GMT"),
        ] {
            assert_eq!(date(seconds).as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_date_before_1601_is_refused() {
        for seconds in [-11_644_473_601.0, -11_644_473_600.1, f64::MIN] {
            assert_eq!(date(seconds), None);
        }
    }

    #[test]
    fn every_day_from_1601_to_9999_follows_the_day_before_it() {
        let leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        let (mut year, mut month, mut day) = (1601, 10, 1);
        let mut days = -134_774;
        while year < 10_000 {
            assert_eq!(civil(days), (year, month, day));
            days += 1;
            let length = match month {
                11 => 28 + i64::from(leap(year)),
                1 | 3 | 6 | 8 => 30,
                _ => 31,
            };
            day += 1;
            if day > length {
                (month, day) = ((month + 1) % 12, 1);
                year += i64::from(month == 10);
            }
        }
    }
}
