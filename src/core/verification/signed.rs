//! A commit or tag as it was signed: the bytes that the signature is over, and the signature. They are
//! split as git splits them (`parse_signed_commit` in commit.c, `parse_signature` in gpg-interface.c).

/// The program that can verify a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureFormat {
    /// `ssh-keygen`.
    Ssh,
    /// `gpg`.
    OpenPgp,
    /// None that trueup runs: the format's name.
    Other(&'static str),
}

/// A commit or an annotated tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedObject {
    /// The bytes that are signed.
    pub payload: Vec<u8>,
    /// The signatures, one for each header that holds one, or each block at the end of a tag.
    pub signatures: Vec<Vec<u8>>,
    /// The time of the committer or tagger, in seconds of Unix time; `None` where there is none.
    pub time: Option<i64>,
    /// The message.
    pub message: String,
}

/// The beginnings of a signature, as git knows them.
const BEGINNINGS: [(&str, SignatureFormat); 4] = [
    ("-----BEGIN SSH SIGNATURE-----", SignatureFormat::Ssh),
    ("-----BEGIN PGP SIGNATURE-----", SignatureFormat::OpenPgp),
    // Holds a text of its own, which need not be the commit's.
    ("-----BEGIN PGP MESSAGE-----", SignatureFormat::Other("an OpenPGP message")),
    ("-----BEGIN SIGNED MESSAGE-----", SignatureFormat::Other("X.509")),
];

impl SignedObject {
    /// Reads the content of a commit; `header` is `gpgsig`, or `gpgsig-sha256` in a repository with
    /// SHA-256.
    pub fn commit(content: &[u8], header: &str) -> Self {
        let (head, body) = split_head(content);
        let (mut payload, mut signatures) = (Vec::new(), Vec::<Vec<u8>>::new());
        // Where the value of a header goes on: in a signature, in the payload, or nowhere.
        let mut inside = Inside::Payload;
        for line in head.split_inclusive(|byte| *byte == b'\n') {
            let value = line.strip_prefix(header.as_bytes());
            if let Some(rest) = line.strip_prefix(b" ").filter(|_| inside != Inside::Payload) {
                if let (Inside::Signature, Some(signature)) = (&inside, signatures.last_mut()) {
                    signature.extend_from_slice(rest);
                }
            } else if let Some(value) = value.and_then(|value| value.strip_prefix(b" ")) {
                signatures.push(value.to_vec());
                inside = Inside::Signature;
            } else if line.starts_with(b"gpgsig") {
                inside = Inside::Nothing;
            } else {
                payload.extend_from_slice(line);
                inside = Inside::Payload;
            }
        }
        payload.extend_from_slice(body);
        let time = time_of(head, b"committer ");
        Self { payload, signatures, time, message: text(body) }
    }

    /// Reads the content of an annotated tag.
    pub fn tag(content: &[u8]) -> Self {
        let (head, _) = split_head(content);
        let mut starts = Vec::new();
        let mut at = 0;
        for line in content.split_inclusive(|byte| *byte == b'\n') {
            if at >= head.len() && format_of_line(line).is_some() {
                starts.push(at);
            }
            at += line.len();
        }
        let end = starts.first().copied().unwrap_or(content.len());
        let ends = starts.iter().skip(1).copied().chain([content.len()]);
        let signatures = starts.iter().zip(ends).map(|(from, to)| content[*from..to].to_vec());
        let message = text(content.get(head.len()..end).unwrap_or_default());
        Self {
            payload: content[..end].to_vec(),
            signatures: signatures.collect(),
            time: time_of(head, b"tagger "),
            message,
        }
    }

    /// The value of the last trailer `key` of the message.
    pub fn trailer(&self, key: &str) -> Option<&str> {
        let last = self.message.trim_end().rsplit("\n\n").next()?;
        // A message of one paragraph is a subject, and no block of trailers.
        if last.trim() == self.message.trim() {
            return None;
        }
        let mut values = last.lines().filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(key).then(|| value.trim())
        });
        values.next_back().filter(|value| !value.is_empty())
    }
}

/// The place of the lines that continue a header.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Signature,
    Payload,
    Nothing,
}

/// The headers, and the blank line with the message.
fn split_head(content: &[u8]) -> (&[u8], &[u8]) {
    if content.starts_with(b"\n") {
        return content.split_at(0);
    }
    let end = content.windows(2).position(|two| two == b"\n\n");
    content.split_at(end.map_or(content.len(), |end| end + 1))
}

/// The format of a signature that begins with this line.
fn format_of_line(line: &[u8]) -> Option<SignatureFormat> {
    let found = BEGINNINGS.iter().find(|(beginning, _)| line.starts_with(beginning.as_bytes()));
    found.map(|(_, format)| *format)
}

/// The format of a signature; `None` where it is not known at all.
pub fn format(signature: &[u8]) -> Option<SignatureFormat> {
    format_of_line(signature)
}

/// How many signatures there are one after the other.
pub fn count(signature: &[u8]) -> usize {
    signature.split(|byte| *byte == b'\n').filter(|line| format_of_line(line).is_some()).count()
}

/// The time of `name <mail> 1700000000 +0100`.
fn time_of(head: &[u8], header: &[u8]) -> Option<i64> {
    let line = head.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(header))?;
    let close = line.iter().rposition(|byte| *byte == b'>')?;
    let after = std::str::from_utf8(&line[close + 1..]).ok()?;
    // Git takes a time that it can't read, and 0, for none.
    after.split_ascii_whitespace().next()?.parse().ok().filter(|time| *time > 0)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_start_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "tree 4b825dc\nauthor A <a@x> 1 +0000\ncommitter A <a@x> 1700000000 +0900\n";

    fn signature(text: &str) -> String {
        format!("-----BEGIN SSH SIGNATURE-----\n{text}\n-----END SSH SIGNATURE-----\n")
    }

    fn header(name: &str, value: &str) -> String {
        format!("{name} {}\n", value.trim_end().replace('\n', "\n "))
    }

    #[test]
    fn a_commit_is_split_as_git_splits_it() {
        let [one, two] = ["one", "two"].map(signature);
        let message = "\nsubject\n\nbody\n";
        for (headers, signatures) in [
            (String::new(), vec![]),
            (header("gpgsig", &one), vec![&one]),
            (header("gpgsig", &one) + &header("gpgsig", &two), vec![&one, &two]),
            (header("gpgsig", &one) + &header("gpgsig-sha256", &two), vec![&one]),
            (header("gpgsig-sha256", &two) + &header("gpgsig", &one), vec![&one]),
            (header("gpgsig-sha256", &two), vec![]),
        ] {
            let object =
                SignedObject::commit(format!("{HEAD}{headers}{message}").as_bytes(), "gpgsig");
            assert_eq!(object.payload, format!("{HEAD}{message}").as_bytes(), "{headers}");
            let signatures: Vec<&[u8]> = signatures.iter().map(|it| it.as_bytes()).collect();
            assert_eq!(object.signatures, signatures, "{headers}");
            assert_eq!(object.time, Some(1_700_000_000));
            assert_eq!(object.message, "subject\n\nbody\n");
        }
        // A header of several lines that is no signature stays, and so does a message that holds one.
        let rest = format!("mergetag object 1\n type commit\n\n{}", header("gpgsig", &one));
        let object = SignedObject::commit(format!("{HEAD}{rest}").as_bytes(), "gpgsig");
        assert_eq!(object.payload, format!("{HEAD}{rest}").as_bytes());
        assert!(object.signatures.is_empty());
    }

    #[test]
    fn a_tag_ends_with_its_signature() {
        let head = "object 1\ntype commit\ntag v1\ntagger A <a@x> 1700000000 +0000\n";
        let one = signature("one");
        let signed = SignedObject::tag(format!("{head}\nv1\n{one}").as_bytes());
        assert_eq!(signed.payload, format!("{head}\nv1\n").as_bytes());
        assert_eq!(signed.signatures, [one.as_bytes()]);
        assert_eq!(signed.time, Some(1_700_000_000));
        assert_eq!(signed.message, "v1\n");
        let two = SignedObject::tag(format!("{head}\nv1\n{one}{one}").as_bytes());
        assert_eq!(two.signatures.len(), 2);
        let none = SignedObject::tag(format!("{head}\nv1\n").as_bytes());
        assert_eq!((none.payload.len(), none.signatures.len()), (head.len() + 4, 0));
    }

    #[test]
    fn a_trailer_is_in_the_last_paragraph() {
        let of = |message: &str| {
            let object = SignedObject::commit(format!("{HEAD}\n{message}").as_bytes(), "gpgsig");
            object.trailer("trueup-seal").map(str::to_owned)
        };
        assert_eq!(of("a\n\ntrueup-seal: looked at all\n").as_deref(), Some("looked at all"));
        assert_eq!(of("a\n\nTrueup-Seal: b\nSigned-off-by: c\n").as_deref(), Some("b"));
        assert_eq!(of("trueup-seal: a\n"), None);
        assert_eq!(of("a\n\ntrueup-seal: b\n\nmore\n"), None);
        assert_eq!(of("a\n\ntrueup-seal:\n"), None);
    }

    #[test]
    fn an_object_without_sense_has_no_signature() {
        for content in ["", "\n", "\n\n", "gpgsig", "gpgsig x", "committer > 0 +0000\n", " \n \n"] {
            let _ = SignedObject::tag(content.as_bytes());
            let commit = SignedObject::commit(content.as_bytes(), "gpgsig");
            assert_eq!(commit.time, None, "{content:?}");
        }
    }

    #[test]
    fn formats_are_those_that_git_knows() {
        assert_eq!(format(signature("").as_bytes()), Some(SignatureFormat::Ssh));
        let pgp = b"-----BEGIN PGP SIGNATURE-----\n";
        assert_eq!(format(pgp), Some(SignatureFormat::OpenPgp));
        let other = format(b"-----BEGIN SIGNED MESSAGE-----\n");
        assert_eq!(other, Some(SignatureFormat::Other("X.509")));
        assert_eq!(format(b"rubbish"), None);
        assert_eq!(count((signature("a") + &signature("b")).as_bytes()), 2);
    }
}
