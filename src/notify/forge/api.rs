//! The paths and the fields of the three APIs.

use reqwest::Url;

use super::super::error::DeliveryError;
use super::super::http::below;
use crate::core::json::{Value, json};
use crate::core::notify::{CommitVerdict, ForgeApi};

/// How many statuses or comments a page has; all of these APIs have pages of as many.
const PAGE: usize = 50;

/// The API of one repository.
pub(super) struct Api<'a> {
    pub(super) kind: ForgeApi,
    /// The address of the forge; of GitHub, that of its API.
    pub(super) base: Url,
    pub(super) repository: &'a str,
}

/// A status, as the forge has it.
pub(super) struct Status<'v> {
    pub(super) state: &'v str,
    pub(super) description: &'v str,
    /// The user's id, where the forge says it.
    pub(super) author: Option<i64>,
}

/// A comment, with the ends of its lines as we write them.
pub(super) struct Comment {
    pub(super) id: u64,
    pub(super) text: String,
}

/// A method of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Post,
    Put,
    Patch,
}

impl Api<'_> {
    /// A path of the repository.
    fn of_repository(&self, path: &[&str]) -> Result<Url, DeliveryError> {
        let owner_and_name = self.repository.split_once('/').unwrap_or((self.repository, ""));
        let begin = match self.kind {
            ForgeApi::GitHub => vec!["repos", owner_and_name.0, owner_and_name.1],
            ForgeApi::GitLab => vec!["api", "v4", "projects", self.repository],
            ForgeApi::Gitea => vec!["api", "v1", "repos", owner_and_name.0, owner_and_name.1],
        };
        below(&self.base, &[&begin[..], path].concat())
    }

    fn page(&self, mut url: Url) -> Url {
        let name = if self.kind == ForgeApi::Gitea { "limit" } else { "per_page" };
        url.query_pairs_mut().append_pair(name, &PAGE.to_string());
        url
    }

    /// The header with the token.
    pub(super) fn authorization(&self, token: &str) -> (&'static str, String) {
        match self.kind {
            ForgeApi::GitHub => ("Authorization", format!("Bearer {token}")),
            ForgeApi::GitLab => ("PRIVATE-TOKEN", token.to_owned()),
            ForgeApi::Gitea => ("Authorization", format!("token {token}")),
        }
    }

    /// The repository itself.
    pub(super) fn repository(&self) -> Result<Url, DeliveryError> {
        self.of_repository(&[])
    }

    /// The newest statuses of a commit.
    pub(super) fn statuses(&self, commit: &str, context: &str) -> Result<Url, DeliveryError> {
        let path = match self.kind {
            ForgeApi::GitHub | ForgeApi::Gitea => ["commits", commit, "statuses"].to_vec(),
            ForgeApi::GitLab => ["repository", "commits", commit, "statuses"].to_vec(),
        };
        let mut url = self.page(self.of_repository(&path)?);
        match self.kind {
            ForgeApi::GitHub => {}
            ForgeApi::GitLab => drop(url.query_pairs_mut().append_pair("name", context)),
            ForgeApi::Gitea => drop(url.query_pairs_mut().append_pair("sort", "recentupdate")),
        }
        Ok(url)
    }

    /// The newest status with this context.
    pub(super) fn newest<'v>(&self, statuses: &'v Value, context: &str) -> Option<Status<'v>> {
        let (name, state) = match self.kind {
            ForgeApi::GitHub => ("context", "state"),
            ForgeApi::GitLab => ("name", "status"),
            ForgeApi::Gitea => ("context", "status"),
        };
        let text = |status: &'v Value, key: &str| status.get(key).and_then(Value::as_str);
        let all = statuses.as_array()?.iter();
        let all = all.filter(|status| text(status, name) == Some(context));
        // Gitea lists those of one second in any order.
        let newest = all.max_by_key(|status| status.get("id").and_then(Value::as_u64))?;
        Some(Status {
            state: text(newest, state)?,
            description: text(newest, "description").unwrap_or_default(),
            author: self.status_author(newest),
        })
    }

    /// The user who set a status.
    pub(super) fn status_author(&self, status: &Value) -> Option<i64> {
        let name = match self.kind {
            ForgeApi::GitHub | ForgeApi::Gitea => "creator",
            ForgeApi::GitLab => "author",
        };
        status.get(name)?.get("id")?.as_i64()
    }

    /// Where the user of the token is read. Elsewhere not every token may do that, but a status may be set
    /// again; GitLab refuses one that is pending already.
    pub(super) fn user(&self) -> Result<Option<Url>, DeliveryError> {
        match self.kind {
            ForgeApi::GitHub | ForgeApi::Gitea => Ok(None),
            ForgeApi::GitLab => below(&self.base, &["api", "v4", "user"]).map(Some),
        }
    }

    /// The name of a state.
    pub(super) fn state(&self, verdict: CommitVerdict) -> &'static str {
        match verdict {
            CommitVerdict::Pending => "pending",
            CommitVerdict::Success => "success",
            CommitVerdict::Failure if self.kind == ForgeApi::GitLab => "failed",
            CommitVerdict::Failure => "failure",
        }
    }

    /// Where a status is set.
    pub(super) fn set_status(&self, commit: &str) -> Result<Url, DeliveryError> {
        self.of_repository(&["statuses", commit])
    }

    /// The body that sets a status.
    pub(super) fn status(&self, state: &str, context: &str, description: &str) -> Value {
        match self.kind {
            ForgeApi::GitLab => {
                json!({ "state": state, "name": context, "description": description })
            }
            ForgeApi::GitHub | ForgeApi::Gitea => {
                json!({ "state": state, "context": context, "description": description })
            }
        }
    }

    /// The pull requests of a commit.
    pub(super) fn pulls(&self, commit: &str) -> Result<Url, DeliveryError> {
        match self.kind {
            ForgeApi::GitHub => self.of_repository(&["commits", commit, "pulls"]),
            ForgeApi::GitLab => {
                self.of_repository(&["repository", "commits", commit, "merge_requests"])
            }
            ForgeApi::Gitea => self.of_repository(&["commits", commit, "pull"]),
        }
    }

    /// Their numbers.
    pub(super) fn numbers(&self, pulls: &Value) -> Vec<u64> {
        let name = if self.kind == ForgeApi::GitLab { "iid" } else { "number" };
        let all = pulls.as_array().map_or(std::slice::from_ref(pulls), |all| all.as_slice());
        all.iter().filter_map(|pull| pull.get(name)?.as_u64()).collect()
    }

    /// The comments of a pull request, where one is added.
    pub(super) fn comments(&self, number: u64) -> Result<Url, DeliveryError> {
        let number = number.to_string();
        match self.kind {
            ForgeApi::GitHub | ForgeApi::Gitea => {
                self.of_repository(&["issues", &number, "comments"])
            }
            ForgeApi::GitLab => self.of_repository(&["merge_requests", &number, "notes"]),
        }
    }

    /// A page of them, the oldest first. Pages are counted from 1.
    pub(super) fn comments_page(&self, number: u64, page: usize) -> Result<Url, DeliveryError> {
        let mut url = self.page(self.comments(number)?);
        if self.kind == ForgeApi::GitLab {
            url.query_pairs_mut().append_pair("sort", "asc");
        }
        url.query_pairs_mut().append_pair("page", &page.to_string());
        Ok(url)
    }

    /// Whether no page comes after this one.
    pub(super) fn is_last_page(&self, comments: &Value) -> bool {
        let count = comments.as_array().map_or(0, Vec::len);
        match self.kind {
            ForgeApi::GitHub => count < PAGE,
            // It leaves out what the token may not see once it has made the page.
            ForgeApi::GitLab => count == 0,
            // It has one page of all.
            ForgeApi::Gitea => true,
        }
    }

    /// The first comment of a user that begins with the marker.
    pub(super) fn comment_of(
        &self,
        comments: &Value,
        marker: &str,
        user: Option<i64>,
    ) -> Option<Comment> {
        let name = if self.kind == ForgeApi::GitLab { "author" } else { "user" };
        comments.as_array()?.iter().find_map(|comment| {
            let text = comment.get("body")?.as_str()?;
            let author = comment.get(name)?.get("id")?.as_i64()?;
            let is_of_user = text.starts_with(marker) && Some(author) == user;
            let id = comment.get("id")?.as_u64()?;
            is_of_user.then(|| Comment { id, text: text.replace("\r\n", "\n") })
        })
    }

    /// How a comment is edited.
    pub(super) fn edit(&self, number: u64, id: u64) -> Result<(Verb, Url), DeliveryError> {
        let (number, id) = (number.to_string(), id.to_string());
        match self.kind {
            ForgeApi::GitHub | ForgeApi::Gitea => {
                Ok((Verb::Patch, self.of_repository(&["issues", "comments", &id])?))
            }
            ForgeApi::GitLab => {
                Ok((Verb::Put, self.of_repository(&["merge_requests", &number, "notes", &id])?))
            }
        }
    }

    /// The body of a comment.
    pub(super) fn comment(&self, text: &str) -> Value {
        json!({ "body": text })
    }
}
