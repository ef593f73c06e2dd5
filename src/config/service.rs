//! The environment that systemd gives to a service.

use std::ffi::OsString;
use std::time::Duration;

/// The device and inode of the stream that goes to systemd's journal: `JOURNAL_STREAM` (systemd.exec(5)).
#[allow(clippy::disallowed_methods, reason = "the one reader of this variable")]
pub fn journal_stream() -> Option<String> {
    std::env::var("JOURNAL_STREAM").ok()
}

/// The service manager that started this process.
#[derive(Clone, Debug, Default)]
pub struct ServiceManager {
    /// The socket that it listens at: `NOTIFY_SOCKET` (sd_notify(3)).
    pub socket: Option<OsString>,
    /// How often it wants a sign of life: `WATCHDOG_USEC`; `None` where it wants none of this process.
    pub watchdog: Option<Duration>,
}

/// The service manager, as the environment names it.
#[allow(clippy::disallowed_methods, reason = "the one reader of these variables")]
pub fn manager() -> ServiceManager {
    let text = |name: &str| std::env::var(name).ok();
    let watchdog = watchdog(text("WATCHDOG_USEC"), text("WATCHDOG_PID"), std::process::id());
    ServiceManager { socket: std::env::var_os("NOTIFY_SOCKET"), watchdog }
}

/// The time of a watchdog, where it is about the process `own` (sd_watchdog_enabled(3)).
fn watchdog(time: Option<String>, process: Option<String>, own: u32) -> Option<Duration> {
    let is_ours = process.is_none_or(|process| process.parse() == Ok(own));
    let time = time?.parse().ok().filter(|time| is_ours && *time > 0)?;
    Some(Duration::from_micros(time))
}

/// Whether `variable` names the stream with this device and inode.
pub fn is_stream(variable: &str, device: u64, inode: u64) -> bool {
    let parts = variable.split_once(':');
    let parts = parts.and_then(|(device, inode)| Some((device.parse().ok()?, inode.parse().ok()?)));
    parts == Some((device, inode))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{is_stream, watchdog};

    #[test]
    fn a_watchdog_is_of_one_process() {
        for (time, process, expected) in [
            (None, None, None),
            (Some("30000000"), None, Some(30)),
            (Some("30000000"), Some("7"), Some(30)),
            (Some("30000000"), Some("8"), None),
            (Some("0"), None, None),
            (Some("soon"), None, None),
        ] {
            let given = |text: Option<&str>| text.map(str::to_owned);
            let expected = expected.map(Duration::from_secs);
            assert_eq!(watchdog(given(time), given(process), 7), expected, "{time:?} {process:?}");
        }
    }

    #[test]
    fn a_stream_is_known_by_device_and_inode() {
        for (variable, expected) in [
            ("8:42", true),
            ("8:43", false),
            ("9:42", false),
            ("842", false),
            ("", false),
            ("8:", false),
        ] {
            assert_eq!(is_stream(variable, 8, 42), expected, "{variable}");
        }
    }
}
