//! The environment that systemd gives to a service.

/// The device and inode of the stream that goes to systemd's journal: `JOURNAL_STREAM` (systemd.exec(5)).
#[allow(clippy::disallowed_methods, reason = "the one reader of this variable")]
pub fn journal_stream() -> Option<String> {
    std::env::var("JOURNAL_STREAM").ok()
}

/// Whether `variable` names the stream with this device and inode.
pub fn is_stream(variable: &str, device: u64, inode: u64) -> bool {
    let parts = variable.split_once(':');
    let parts = parts.and_then(|(device, inode)| Some((device.parse().ok()?, inode.parse().ok()?)));
    parts == Some((device, inode))
}

#[cfg(test)]
mod tests {
    use super::is_stream;

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
