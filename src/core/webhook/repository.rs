//! The identity of a repository among the addresses that lead to it.

/// A host and a path. Protocols, users, ports and `.git` say nothing of it; forges tell no upper case from
/// lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RepositoryId {
    host: String,
    path: String,
}

impl RepositoryId {
    /// That of an address: `https://host/a/b.git`, `ssh://git@host:22/a/b` or `git@host:a/b.git`. `None`
    /// where it has no host.
    pub fn of(address: &str) -> Option<Self> {
        let (authority, path) = match address.split_once("://") {
            Some((_, rest)) => rest.split_once('/')?,
            None => address.split_once(':')?,
        };
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let host = match host.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?.0,
            None => host.split(':').next().unwrap_or_default(),
        };
        let path = path.split(['?', '#']).next().unwrap_or_default().trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path).to_lowercase();
        // Bitbucket Server's addresses of HTTP.
        let path = path.strip_prefix("scm/").unwrap_or(&path).to_owned();
        let is_whole = !host.is_empty() && !path.is_empty() && !host.contains('/');
        is_whole.then(|| Self { host: host.to_lowercase(), path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_addresses_of_a_repository_are_one() {
        let id = RepositoryId::of("https://git.example/shop/deploy.git");
        assert!(id.is_some());
        for address in [
            "https://git.example/shop/deploy",
            "https://git.example/shop/deploy/",
            "https://user:pass@git.example:8443/Shop/Deploy.git",
            "ssh://git@git.example:7999/shop/deploy.git",
            "git@git.example:shop/deploy.git",
            "GIT.example:shop/deploy",
            "https://git.example/scm/SHOP/deploy.git",
        ] {
            assert_eq!(RepositoryId::of(address), id, "{address}");
        }
        for other in [
            "https://git.example/shop/deploy2.git",
            "https://other.example/shop/deploy.git",
            "https://git.example/more/shop/deploy.git",
            "https://git.example/",
            "file:///srv/shop/deploy.git",
            "/srv/shop/deploy.git",
            "",
        ] {
            assert_ne!(RepositoryId::of(other), id, "{other}");
        }
        assert_eq!(RepositoryId::of("file:///srv/shop.git"), None);
        assert!(RepositoryId::of("ssh://git@[::1]:22/a").is_some());
    }
}
