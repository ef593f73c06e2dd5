//! URLs that would be options or commands of another program are refused before anything runs.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::git::{Upstream, git, pull, write};

/// What no remote may be. `MARK` is a file that whatever ran would make.
const URLS: [&str; 9] = [
    "ssh://-oProxyCommand=touch${IFS}MARK/shop.git",
    "ssh://-oProxyCommand=touch%20MARK@host/shop.git",
    "ssh://user@-oProxyCommand=x/shop.git",
    "-oProxyCommand=touch MARK:shop.git",
    "ext::sh -c touch% MARK",
    "fd::17",
    "testgit::/shop.git",
    "--upload-pack=touch MARK",
    "file://host/--upload-pack=x",
];

#[test]
fn nothing_runs_for_a_url_that_is_an_option_or_a_command() {
    let upstream = Upstream::new();
    let checkout = upstream.clone("checkout");
    let folder = upstream.folder();
    let mark = folder.join("mark");
    // Every program that a transport may run leaves the mark.
    for program in ["ssh", "sh", "git-remote-testgit", "git-remote-ext", "git-remote-fd"] {
        let path = folder.join("bin").join(program);
        write(&path, &format!("#!/bin/bash\necho ran > {}\nexit 1\n", mark.display()));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", folder.join("bin").display());
    for url in URLS {
        let url = url.replace("MARK", mark.to_str().unwrap());
        let place = folder.join("place");
        let argument = format!("--url={url}");
        let cloned = pull(&place).args([argument.as_str()]).env("PATH", &path).run();
        assert_eq!(cloned.status, Some(2), "{url}\n{cloned}");
        assert!(!place.exists(), "{url}");
        assert!(!mark.exists(), "{url} runs a program\n{cloned}");

        git(&checkout, ["config", "remote.origin.url", &url]);
        let pulled = pull(&checkout).env("PATH", &path).run();
        assert_eq!(pulled.status, Some(2), "{url}\n{pulled}");
        assert!(!mark.exists(), "{url} runs a program\n{pulled}");
    }
}
