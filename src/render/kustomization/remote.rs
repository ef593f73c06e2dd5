//! References that kustomize would fetch.

/// Whether kustomize downloads it, even where there is a file by that name.
pub(super) fn is_url(text: &str) -> bool {
    let text = text.trim_start().to_lowercase();
    let is_scheme = |char: char| char.is_ascii_alphanumeric() || "+-.:".contains(char);
    text.split_once("://").is_some_and(|(scheme, _)| scheme.chars().all(is_scheme))
        || text.starts_with("http:")
        || text.starts_with("https:")
}

/// Whether kustomize clones it, even where there is a folder by that name.
pub(super) fn is_repository(text: &str) -> bool {
    let lower = text.to_lowercase();
    let has_user = lower.split_once('@').is_some_and(|(user, rest)| {
        user.starts_with(|char: char| char.is_ascii_alphabetic())
            && user.chars().all(|char| char.is_ascii_alphanumeric() || char == '-')
            && rest.split_once(['/', ':']).is_some_and(|(_, path)| path.contains(['/', '.']))
    });
    let starts = ["git::", "gh:", "github.com/", "github.com:"];
    is_url(text) || has_user || starts.iter().any(|start| lower.starts_with(start))
}

/// Whether what is not there was most likely meant for something to fetch.
pub(super) fn looks_remote(text: &str) -> bool {
    let first = text.split('/').next().unwrap_or(text);
    let is_host = first.contains('.') && !first.starts_with('.') && text.contains('/');
    is_repository(text)
        || text.contains("?ref=")
        || text.contains(".git")
        || first.contains('@')
        || is_host
}
