//! Whole screens: the command line, what a run said on stdout and stderr, and its status, compared
//! with a file below `fixtures/screens`. What differs from run to run is replaced first.

use std::env;

use insta::Settings;
use regex::escape;

use super::command::Output;

/// What differs from run to run, and what stands for it in a screen.
const FILTERS: [(&str, &str); 25] = [
    (r"\btrueup [0-9]+\.[0-9]+\.[0-9]+\b", "trueup [version]"),
    (r"\bkubectl/v1\.[0-9]+\.[0-9]+\b", "kubectl/[version]"),
    (r"\bKubernetes 1\.[0-9]{2}(\.[0-9]+)?\b", "Kubernetes [version]"),
    (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "[uid]"),
    (r"\b[0-9a-f]{64}\b", "[sha256]"),
    (r"\b[0-9a-f]{40}\b", "[commit]"),
    (r"\b[0-9a-f]{12}\b", "[commit]"),
    (r"\b[0-9a-f]{7}\b", "[commit]"),
    (r"\bapplyset-[0-9A-Za-z_-]{43}-v1\b", "[applyset]"),
    (r"\b(127\.0\.0\.1|localhost):[0-9]{2,5}\b", "$1:[port]"),
    (r"\(pid [0-9]+\)", "(pid [pid])"),
    (r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z\b", "[time]"),
    (r"\b[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}(:[0-9]{2})?\b", "[time]"),
    (r"(?m)^[0-9]{2}:[0-9]{2}:[0-9]{2} ", "[time] "),
    (r"\bon [0-9]{4}-[0-9]{2}-[0-9]{2} at [0-9]{2}(:|&#58;)[0-9]{2} UTC\b", "on [time]"),
    (r"\b(just now|[0-9]+ (s|min) ago)\b", "[age]"),
    (r"\(cluster [0-9a-f]{6}\)", "(cluster [cluster])"),
    (r#""cluster_id": "[0-9a-f]{6}""#, r#""cluster_id": "[cluster]""#),
    // What is said of a slow machine.
    (r"(?m)^waiting: .*; (giving up|trying again) in [0-9hms]+\n", ""),
    (r"\b(interrupted, .* after) [0-9]+s\b", "$1 [elapsed]"),
    (r"\bgit: [0-9]+ polls?, [0-9]+ bytes\b", "git: [count] polls, [count] bytes"),
    (r"· [0-9]+ requests?\b", "· [count] requests"),
    (r#""requests": [0-9]+"#, r#""requests": "[count]""#),
    (r"· [0-9]+(\.[0-9]+)? s\b", "· [elapsed] s"),
    (r#""elapsed": [0-9.e-]+(\[commit\])?"#, r#""elapsed": "[elapsed]""#),
];

impl Output {
    /// Compares everything with the screen of this name, `VERB/CASE`.
    #[track_caller]
    pub fn shows(self, name: &str) -> Self {
        assert!(!self.command.is_empty(), "its command line is unknown");
        let status = self.status.map_or("a signal".to_owned(), |status| status.to_string());
        let Self { command, stdout, stderr, .. } = &self;
        let screen = format!("$ {command}\n{stdout}---- stderr\n{stderr}---- status {status}\n");
        shows(name, &screen);
        self
    }
}

/// Compares a text with the screen of this name.
#[track_caller]
pub fn shows(name: &str, screen: &str) {
    let (folder, case) = name.rsplit_once('/').unwrap();
    let mut settings = Settings::clone_current();
    let folder = format!("{}/fixtures/screens/{folder}", env!("CARGO_MANIFEST_DIR"));
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (pattern, replacement) in FILTERS {
        settings.add_filter(pattern, replacement);
    }
    let temporary = format!(r"{}/\.tmp[0-9A-Za-z]{{6}}", escape(env::temp_dir().to_str().unwrap()));
    settings.add_filter(&temporary, "[folder]");
    settings.bind(|| insta::assert_snapshot!(case, screen));
}
