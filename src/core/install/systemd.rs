//! Units of systemd: a service that watches, or one that runs a round each time that a timer fires.
//!
//! The unit has a checkout of its own below `/var/lib`, and its user is made as it starts. It gets the
//! kubeconfig from systemd, so that the file itself can be root's alone.

use super::{Installation, on_one_line};

/// The limits of the service. Renderers confine themselves further.
pub(super) const CONFINEMENT: &str = "\
# Confinement: it writes to its own folders, and gains no right.
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
# The others are what confines the programs that render; systemd 252 has no name for them.
SystemCallFilter=@system-service landlock_create_ruleset landlock_add_rule landlock_restrict_self seccomp
SystemCallErrorNumber=EPERM
UMask=0077
";

/// The service that watches.
pub fn service(install: &Installation) -> String {
    let folder = folder(install);
    let interval = install.interval();
    let watch = install.watch(&folder, &["--interval", &interval]);
    let name = install.name();
    let unit = format!("{name}.service");
    let mut text = head(install, &unit, &format!("systemctl enable --now {unit}"));
    text += &unit_section(install);
    text += "\n[Service]\nType=notify\nWatchdogSec=1min\n";
    text += &environment(install);
    text += "# A first clone may take long; a silent remote ends it by --pull-timeout.\n";
    text += "TimeoutStartSec=infinity\n";
    text += &format!("ExecStartPre={}\n", command(install, &install.pull(&folder)));
    text += &format!("ExecStart={}\n", command(install, &watch));
    text +=
        "# It goes on after an error of a round; this is for a remote that is away at the start.\n";
    text += "Restart=on-failure\nRestartSec=30s\n";
    text += CONFINEMENT;
    text + "\n[Install]\nWantedBy=multi-user.target\n"
}

/// The service that runs one round, and its timer.
pub fn timer(install: &Installation) -> String {
    let folder = folder(install);
    let name = install.name();
    let timer = format!("{name}.timer");
    let mut text =
        head(install, &format!("{name}.service"), &format!("systemctl enable --now {timer}"));
    text += &unit_section(install);
    text += "\n[Service]\nType=oneshot\n";
    text += &environment(install);
    text += &format!("ExecStartPre={}\n", command(install, &install.pull(&folder)));
    text +=
        "# Status 1 is a round that is not good: the unit counts as failed until the next one.\n";
    text += &format!("ExecStart={}\n", command(install, &install.watch(&folder, &["--once"])));
    text += CONFINEMENT;
    text += &format!("\n# /etc/systemd/system/{timer}\n[Unit]\n");
    text += &format!("Description=Rounds of {}\n", value(install.title()));
    text += "\n[Timer]\nOnBootSec=1min\n";
    text += &format!("OnUnitInactiveSec={}\n", install.interval());
    text += "RandomizedDelaySec=5s\nAccuracySec=1s\n";
    text + "\n[Install]\nWantedBy=timers.target\n"
}

fn head(install: &Installation, unit: &str, enable: &str) -> String {
    let name = install.name();
    let mut text = format!("# /etc/systemd/system/{unit}\n");
    text += &format!("# Its kubeconfig: install -m 600 KUBECONFIG {}\n", kubeconfig(name));
    text += "# An SSH remote needs a key besides: Environment=GIT_SSH_COMMAND=…, and LoadCredential= for it\n";
    text + &format!("# systemctl daemon-reload && {enable}\n")
}

fn unit_section(install: &Installation) -> String {
    let (title, url) = (value(install.title()), value(&install.url));
    format!(
        "[Unit]\nDescription=Keep {title} true to {url}\nDocumentation=man:trueup(1) man:trueup-install(7)\n\
         Wants=network-online.target\nAfter=network-online.target\n"
    )
}

fn environment(install: &Installation) -> String {
    let name = install.name();
    let mut text = format!("DynamicUser=yes\nStateDirectory={name}\nCacheDirectory={name}\n");
    text += &format!("LoadCredential=kubeconfig:{}\n", kubeconfig(name));
    text += "Environment=KUBECONFIG=%d/kubeconfig\n";
    text += &format!("Environment=HOME=%S/{name} XDG_STATE_HOME=%S/{name}/state\n");
    text + &format!("Environment=XDG_CACHE_HOME=%C/{name}\n")
}

fn kubeconfig(name: &str) -> String {
    format!("/etc/trueup/{name}.kubeconfig")
}

/// `%S` is the folder of all states. The mark is put in place of it once all else is quoted.
fn folder(install: &Installation) -> String {
    format!("{STATES}/{}/checkout", install.name())
}

/// Stands for `%S`, which quoting would make plain text; no argument of a command can hold it.
const STATES: &str = "\0S";

/// A command line of a unit: systemd.service(5), "COMMAND LINES".
fn command(install: &Installation, args: &[&str]) -> String {
    let words = [install.program.as_str()].into_iter().chain(args.iter().copied());
    let words: Vec<String> = words.map(word).collect();
    words.join(" ").replace(STATES, "%S")
}

/// An argument: `$` begins a variable, `%` a specifier, and escapes are those of C.
fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@+,=\0".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '%' | '$' => quoted.extend([c, c]),
            '\n' => quoted += "\\n",
            c if c.is_ascii_control() && c != '\0' => {
                quoted += &format!("\\x{:02x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// A text in a setting that is not a command.
fn value(text: &str) -> String {
    on_one_line(text).replace('\\', "\\\\").replace('%', "%%")
}
