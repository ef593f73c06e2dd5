//! The topics of `trueup help`, in the order of its list: the pages of `docs/` for users. Pages for
//! developers, such as the architecture, are not topics.

/// A page of the documentation.
pub(super) struct Topic {
    /// Its name, which is also that of its file.
    pub(super) name: &'static str,
    /// One line about it.
    pub(super) about: &'static str,
    /// Its text in Markdown.
    pub(super) text: &'static str,
}

macro_rules! topics {
    ($($name:literal: $about:literal,)*) => {
        /// Every topic.
        pub(super) const TOPICS: &[Topic] = &[$(Topic {
            name: $name,
            about: $about,
            text: include_str!(concat!("../../../docs/", $name, ".md")),
        }),*];
    };
}

topics! {
    "targets": "trueup.yaml: paths, settings, namespaces",
    "files": "which files are read, and how errors are shown",
    "rendering": "kustomize, Helm and Jsonnet",
    "fields": "ignored and masked fields",
    "cluster": "kubeconfig, credentials, TLS and proxies",
    "remotes": "git remotes, clones and fetches",
    "recipes": "laptop, systemd and cron",
    "service": "units, manifests and workflows that run it",
    "permissions": "the least roles in the cluster",
    "replicas": "targets that several processes of watch share",
    "waking": "what begins a round of watch before it is due",
    "notifications": "messages of watch, and who gets them",
    "differences": "what a diff shows, and its forms",
    "ordering": "dependencies, waves and deletions",
    "state": "what runs where, in sync and healthy or not",
    "watching": "several targets in one watch, intervals and order",
    "waiting": "health, readiness and failures",
    "logs": "the log of watch, signs of life, metrics",
    "retries": "temporary errors",
    "normalisation": "fields that the API server drops, defaults or changes",
    "replacing": "immutable fields: delete and recreate",
    "inventory": "the record of what a target applied",
    "pruning": "deletions, their guards, and retention",
    "conflicts": "fields of other managers, taking over and adoption",
    "modes": "create-only and ignored objects",
    "holding": "modes, releases, windows and suspended targets",
    "recovery": "all targets in one run, moving and removing targets",
    "records": "records of rounds, and what they tell",
    "locking": "runs at the same time, and rollback",
    "ci": "checks, trials and differences in pull requests",
    "kinds": "Kubernetes releases and custom resources in check and explain",
    "plans": "approve first, apply later",
    "verification": "which signed commits may be applied",
    "security": "trust, isolation, Secrets and limits",
    "settings": "all flags, variables and keys",
    "annotations": "all annotations and labels",
    "json": "the keys of -o json",
}
