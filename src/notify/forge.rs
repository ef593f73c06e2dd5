//! The commit on its forge: a status, and a comment on the pull requests that it came with. The comment
//! is one for each target, found by a hidden marker and its author, and edited in place. What is there
//! already is not sent again.
//!
//! Anyone may write a comment with the marker. The answer to a status says who set it: that is whose the
//! token is, and no other right is needed to learn it.

mod api;

use reqwest::Url;
use reqwest::blocking::RequestBuilder;

use self::api::{Api, Comment, Status, Verb};
use super::delivery::Delivery;
use super::error::DeliveryError;
use super::http::{Http, secret_header, url};
use crate::core::json::Value;
use crate::core::notify::{CommitVerdict, Forge, key_digest};

/// The most characters of a status' description that all forges take.
const DESCRIPTION: usize = 140;
/// The most pull requests that get a comment.
const PULLS: usize = 5;
/// The most pages of comments that ours is looked for in.
const PAGES: usize = 20;

/// Sends what a commit came to.
///
/// # Errors
///
/// When the forge does not take it.
pub(super) fn send(delivery: &Delivery<'_>, options: &Forge) -> Result<(), DeliveryError> {
    let message = delivery.message;
    let (Some(verdict), Some(commit)) = (message.verdict(), &message.commit) else {
        return Ok(());
    };
    let is_id = commit.id.len() >= 40 && commit.id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_id {
        return Err(DeliveryError::refusal("the commit has no id that a forge knows"));
    }
    let base = url(&delivery.secrets.address(&options.url)?, true)?;
    let token = delivery.secrets.read(&options.token)?;
    let api = Api { kind: options.api, base, repository: &options.repository };
    let client = Client { http: delivery.http(&api.base)?, api, token };
    let description: String = message.title.chars().take(DESCRIPTION).collect();
    let status = CommitStatus {
        commit: &commit.id,
        context: format!("trueup/{}", message.target),
        state: client.api.state(verdict),
        // Gitea keeps no space at the end: what is there would differ from this each time.
        description: description.trim_end().to_owned(),
    };
    let setter = client.status(&status)?;
    match options.comments {
        true => client.comment(delivery, verdict, &status, setter),
        false => Ok(()),
    }
}

/// The status that a commit is to have.
struct CommitStatus<'a> {
    commit: &'a str,
    context: String,
    state: &'static str,
    description: String,
}

/// The comment that a pull request is to have.
struct PullComment<'a> {
    number: u64,
    marker: &'a str,
    body: &'a str,
}

/// The user who set a status.
#[derive(Clone, Copy)]
struct Setter {
    /// The id, where the forge says it.
    user: Option<i64>,
    /// Whether that is whose the token is: the status was set just now.
    is_self: bool,
}

/// A connection with a forge.
struct Client<'a> {
    http: Http,
    api: Api<'a>,
    token: String,
}

impl Client<'_> {
    fn request(&self, verb: Verb, url: &Url) -> Result<RequestBuilder, DeliveryError> {
        let (name, value) = self.api.authorization(&self.token);
        let request = match verb {
            Verb::Get => self.http.get(url.clone()),
            Verb::Post => self.http.post(url.clone()),
            Verb::Put => self.http.put(url.clone()),
            Verb::Patch => self.http.patch(url.clone()),
        };
        let request = request.header(name, secret_header(&value)?);
        Ok(request.header("Accept", "application/json"))
    }

    fn read(&self, url: &Url) -> Result<Value, DeliveryError> {
        self.http.json(url, self.request(Verb::Get, url)?)
    }

    fn with_body(
        &self,
        verb: Verb,
        url: &Url,
        body: &Value,
    ) -> Result<RequestBuilder, DeliveryError> {
        let request = self.request(verb, url)?.header("Content-Type", "application/json");
        Ok(request.body(body.to_string()))
    }

    fn write(&self, verb: Verb, url: &Url, body: &Value) -> Result<(), DeliveryError> {
        self.http.send(url, self.with_body(verb, url, body)?).map(drop)
    }

    /// The newest statuses of a commit. One that the forge does not have is refused, so that it does not
    /// hold up the messages of others: it was never pushed there, or is gone.
    fn statuses(&self, commit: &str, context: &str) -> Result<Value, DeliveryError> {
        match self.read(&self.api.statuses(commit, context)?) {
            Err(error) if error.is_not_found => {
                // Without a right to it, the repository is not found either.
                self.read(&self.api.repository()?)?;
                Err(DeliveryError::refusal("the forge does not have the commit"))
            }
            found => found,
        }
    }

    /// Sets the status of a commit, unless the newest one says the same.
    fn status(&self, wanted: &CommitStatus<'_>) -> Result<Setter, DeliveryError> {
        let CommitStatus { commit, context, state, description } = wanted;
        let all = self.statuses(commit, context)?;
        match self.api.newest(&all, context) {
            Some(Status { state: found, description: said, author })
                if found == *state && said == description =>
            {
                Ok(Setter { user: author, is_self: false })
            }
            _ => self.set_status(wanted),
        }
    }

    fn set_status(&self, wanted: &CommitStatus<'_>) -> Result<Setter, DeliveryError> {
        let CommitStatus { commit, context, state, description } = wanted;
        let (url, body) =
            (self.api.set_status(commit)?, self.api.status(state, context, description));
        let answer = self.http.json(&url, self.with_body(Verb::Post, &url, &body)?)?;
        Ok(Setter { user: self.api.status_author(&answer), is_self: true })
    }

    /// Finds out whose the token is, where the status was there.
    fn own_user(&self, wanted: &CommitStatus<'_>) -> Result<Setter, DeliveryError> {
        match self.api.user()? {
            Some(url) => {
                let user = self.read(&url)?.get("id").and_then(Value::as_i64);
                Ok(Setter { user, is_self: true })
            }
            None => self.set_status(wanted),
        }
    }

    /// The first comment of a user with this marker.
    fn comment_of(
        &self,
        number: u64,
        marker: &str,
        user: Option<i64>,
    ) -> Result<Option<Comment>, DeliveryError> {
        for page in 1..=PAGES {
            let comments = self.read(&self.api.comments_page(number, page)?)?;
            let found = self.api.comment_of(&comments, marker, user);
            if found.is_some() || self.api.is_last_page(&comments) {
                return Ok(found);
            }
        }
        // With ours behind them, each message would be one more comment.
        Err(DeliveryError::refusal("the pull request has more comments than are looked at"))
    }

    /// Writes the comment of the commit's pull requests, or edits it.
    fn comment(
        &self,
        delivery: &Delivery<'_>,
        verdict: CommitVerdict,
        status: &CommitStatus<'_>,
        mut setter: Setter,
    ) -> Result<(), DeliveryError> {
        let found = match self.read(&self.api.pulls(status.commit)?) {
            Ok(found) => found,
            // Gitea says so of a commit without one.
            Err(error) if error.is_not_found => return Ok(()),
            Err(error) => return Err(error),
        };
        let marker = format!("<!-- trueup {} -->", key_digest(&[&delivery.message.target]));
        let body = format!("{marker}\n{} {}", sign(verdict), code_lines(&delivery.text));
        let mut refused = None;
        for number in self.api.numbers(&found).into_iter().take(PULLS) {
            let comment = PullComment { number, marker: &marker, body: &body };
            match self.comment_on(&comment, &mut setter, status) {
                // The others may have room for one.
                Err(error) if error.is_refusal => refused = refused.or(Some(error)),
                done => done?,
            }
        }
        refused.map_or(Ok(()), Err)
    }

    /// Writes the comment of a pull request, or edits it.
    fn comment_on(
        &self,
        comment: &PullComment<'_>,
        setter: &mut Setter,
        status: &CommitStatus<'_>,
    ) -> Result<(), DeliveryError> {
        let PullComment { number, marker, body } = *comment;
        let mut ours = self.comment_of(number, marker, setter.user)?;
        if ours.as_ref().is_some_and(|ours| ours.text == body) {
            return Ok(());
        }
        if !setter.is_self {
            let known = setter.user;
            *setter = self.own_user(status)?;
            if setter.user != known {
                ours = self.comment_of(number, marker, setter.user)?;
            }
        }
        if setter.user.is_none() {
            // Each message would be one more comment.
            return Err(DeliveryError::refusal("the forge does not say whose the token is"));
        }
        let content = self.api.comment(body);
        match ours {
            Some(ours) if ours.text == body => Ok(()),
            Some(ours) => {
                let (verb, url) = self.api.edit(number, ours.id)?;
                self.write(verb, &url, &content).map_err(DeliveryError::or_refusal)
            }
            None => {
                let url = self.api.comments(number)?;
                // Each try again would set the status once more.
                self.write(Verb::Post, &url, &content).map_err(DeliveryError::or_refusal)
            }
        }
    }
}

fn sign(verdict: CommitVerdict) -> &'static str {
    match verdict {
        CommitVerdict::Pending => "⏳",
        CommitVerdict::Success => "✅",
        CommitVerdict::Failure => "❌",
    }
}

/// Lines as a block of code, in which Markdown and mentions mean nothing. The fence is longer than any
/// in the text.
fn code_lines(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("trueup\n{fence}text\n{text}\n{fence}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_leave_its_block() {
        let block = code_lines("@ada ```` <script>");
        assert_eq!(block, "trueup\n`````text\n@ada ```` <script>\n`````\n");
        assert_eq!(code_lines("a"), "trueup\n```text\na\n```\n");
    }
}
