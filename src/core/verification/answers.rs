//! The answers of `ssh-keygen -Y` and `gpg --status-fd`, read as git reads them.

use super::verdict::{Fault, Signer, Verdict};

/// The output of a program that ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Whether it ended with 0.
    pub success: bool,
    /// Its stdout.
    pub stdout: String,
    /// Its stderr.
    pub stderr: String,
}

/// The principals that `find-principals` names, in their order.
pub fn principals(found: &Answer) -> Vec<&str> {
    match found.success {
        true => found.stdout.lines().map(str::trim).filter(|line| !line.is_empty()).collect(),
        false => Vec::new(),
    }
}

/// The fingerprint of the key, where `verify` or `check-novalidate` says that a signature is good.
pub fn good_key(answer: &Answer) -> Option<&str> {
    let line = answer.stdout.lines().next()?;
    let is_good = answer.success && line.starts_with("Good \"git\" signature ");
    is_good.then(|| line.rsplit_once(" key ").map(|(_, key)| key.trim()))?
}

/// The verdict about a signature for which there is no principal, of what `find-principals` and
/// `check-novalidate` answered.
pub fn no_principal(found: &Answer, checked: &Answer) -> Verdict {
    let Some(key) = good_key(checked) else { return Verdict::bad(fault_of(checked)) };
    let says = |text: &str| found.stderr.contains(text);
    let fault = if says("key has expired") {
        Fault::Expired
    } else if says("key is not yet valid") {
        Fault::NotYetValid
    } else if says("no valid principals found") || says("ertificate") {
        Fault::Certificate
    } else {
        Fault::UnknownKey
    };
    Verdict::Bad { fault, key: Some(key.to_owned()) }
}

/// The fault of a signature that `verify` or `check-novalidate` calls bad.
pub fn fault_of(answer: &Answer) -> Fault {
    let says = |text: &str| answer.stderr.contains(text);
    if says("namespace does not match") || says("not permitted for use in signature namespace") {
        Fault::WrongNamespace
    } else if says("has expired") {
        Fault::Expired
    } else if says("key is not yet valid") {
        Fault::NotYetValid
    } else {
        Fault::BadSignature
    }
}

/// The verdict of `gpg --verify`, of its status lines (doc/DETAILS of GnuPG). A good signature is one
/// that gpg ends with 0 for: the key is in the keyring, neither it nor the signature has expired, and
/// neither is revoked.
pub fn openpgp(answer: &Answer) -> Verdict {
    let lines = answer.stdout.lines().filter_map(|line| line.strip_prefix("[GNUPG:] "));
    let lines: Vec<Vec<&str>> = lines.map(|line| line.splitn(3, ' ').collect()).collect();
    let all = |word: &str| lines.iter().filter(|line| line[0] == word).collect::<Vec<_>>();
    let key =
        |word: &str| all(word).first().and_then(|line| line.get(1).map(|it| (*it).to_owned()));
    let results = ["GOODSIG", "BADSIG", "ERRSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG"];
    if all("NEWSIG").len() > 1 || results.iter().map(|word| all(word).len()).sum::<usize>() > 1 {
        return Verdict::bad(Fault::Several);
    }
    let valid = all("VALIDSIG").first().and_then(|line| valid_signature(line));
    let bad = |fault: Fault, word: &str| {
        let whole = valid.as_ref().map(|valid| valid.primary.clone());
        Verdict::Bad { fault, key: whole.or_else(|| key(word)) }
    };
    for (word, fault) in [
        ("REVKEYSIG", Fault::Revoked),
        ("EXPKEYSIG", Fault::Expired),
        ("EXPSIG", Fault::Expired),
        ("BADSIG", Fault::BadSignature),
    ] {
        if !all(word).is_empty() {
            return bad(fault, word);
        }
    }
    if !all("NO_PUBKEY").is_empty() {
        return bad(Fault::UnknownKey, "NO_PUBKEY");
    }
    let good = all("GOODSIG");
    let (Some(good), Some(valid), true) = (good.first(), &valid, answer.success) else {
        return bad(Fault::BadSignature, "ERRSIG");
    };
    if let Some(name) = valid.weak {
        return bad(Fault::WeakDigest(name), "GOODSIG");
    }
    let principal = good.get(2).copied().unwrap_or_default().to_owned();
    let signer = Signer { principal, key: valid.primary.clone() };
    Verdict::Good { signer, until: valid.until }
}

/// A line `VALIDSIG`.
struct ValidSignature {
    /// The fingerprint of the primary key.
    primary: String,
    /// When the signature expires.
    until: Option<i64>,
    /// A digest that can be forged.
    weak: Option<&'static str>,
}

fn valid_signature(line: &[&str]) -> Option<ValidSignature> {
    let rest: Vec<&str> = line.get(2)?.split(' ').collect();
    let [_, _, expires, _, _, _, digest, ..] = rest[..] else { return None };
    let primary = rest.get(8).copied().unwrap_or(line[1]).to_owned();
    let until = expires.parse().ok().filter(|time| *time > 0);
    // The numbers of RFC 9580, section 9.5.
    let weak = match digest {
        "1" => Some("MD5"),
        "2" => Some("SHA-1"),
        "3" => Some("RIPEMD-160"),
        _ => None,
    };
    Some(ValidSignature { primary, until, weak })
}

/// The earliest time after `now` when a key of `gpg --list-keys --with-colons` expires, in seconds of
/// Unix time: until then what was said of its signatures holds.
pub fn next_expiry(listing: &str, now: i64) -> Option<i64> {
    let keys = listing.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        matches!(fields[0], "pub" | "sub").then(|| fields.get(6)?.parse().ok())?
    });
    keys.filter(|expires: &i64| *expires > now).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(success: bool, stdout: &str, stderr: &str) -> Answer {
        Answer { success, stdout: stdout.to_owned(), stderr: stderr.to_owned() }
    }

    #[test]
    fn a_good_ssh_signature_names_its_key() {
        let good = "Good \"git\" signature for a b@x with ED25519 key SHA256:abc\n";
        assert_eq!(good_key(&answer(true, good, "")), Some("SHA256:abc"));
        assert_eq!(good_key(&answer(false, good, "")), None);
        assert_eq!(good_key(&answer(true, &good.replace("git", "file"), "")), None);
        assert_eq!(good_key(&answer(true, "", good)), None);
        assert_eq!(principals(&answer(true, "a@x\nb@x\n", "")), ["a@x", "b@x"]);
        assert!(principals(&answer(false, "a@x\n", "")).is_empty());
    }

    #[test]
    fn a_key_without_a_principal_says_why() {
        let checked = answer(true, "Good \"git\" signature with ED25519 key SHA256:abc\n", "");
        for (stderr, fault) in [
            ("No principal matched.", Fault::UnknownKey),
            ("a:4: key has expired: verify time 2 > valid-before 1", Fault::Expired),
            ("a:5: key is not yet valid: verify time", Fault::NotYetValid),
            ("a:12: no valid principals found", Fault::Certificate),
        ] {
            let found = answer(false, "", stderr);
            let key = Some("SHA256:abc".to_owned());
            assert_eq!(no_principal(&found, &checked), Verdict::Bad { fault, key });
        }
        let broken = answer(false, "", "Signature verification failed: incorrect signature");
        let verdict = no_principal(&answer(false, "", ""), &broken);
        assert_eq!(verdict, Verdict::bad(Fault::BadSignature));
    }

    const GOOD: &str = "[GNUPG:] NEWSIG a@x\n[GNUPG:] GOODSIG 11 A <a@x>\n[GNUPG:] VALIDSIG 22 \
        2026-11-29 1795972568 0 4 0 22 8 00 33\n[GNUPG:] TRUST_UNDEFINED 0 pgp\n";

    #[test]
    fn openpgp_status_lines_give_the_verdict() {
        let signer = Signer { principal: "A <a@x>".to_owned(), key: "33".to_owned() };
        let good = Verdict::Good { signer: signer.clone(), until: None };
        assert_eq!(openpgp(&answer(true, GOOD, "")), good);
        let until = Some(1_800_000_000);
        let expiring = GOOD.replace("1795972568 0 4", "1795972568 1800000000 4");
        assert_eq!(openpgp(&answer(true, &expiring, "")), Verdict::Good { signer, until });
        let fault = |success, text: &str| match openpgp(&answer(success, text, "")) {
            Verdict::Good { .. } => panic!("{text}"),
            Verdict::Bad { fault, key } => (fault, key.unwrap_or_default()),
        };
        assert_eq!(fault(false, GOOD).0, Fault::BadSignature, "gpg ends with another status");
        for (word, expected) in [
            ("REVKEYSIG", Fault::Revoked),
            ("EXPKEYSIG", Fault::Expired),
            ("EXPSIG", Fault::Expired),
            ("BADSIG", Fault::BadSignature),
        ] {
            let text = GOOD.replace("GOODSIG", word);
            assert_eq!(fault(true, &text), (expected.clone(), "33".to_owned()));
            assert_eq!(fault(true, &format!("{GOOD}[GNUPG:] {word} 11 A")).0, Fault::Several);
        }
        let twice = format!("{GOOD}[GNUPG:] NEWSIG\n");
        assert_eq!(fault(true, &twice).0, Fault::Several);
        let unknown = "[GNUPG:] NEWSIG\n[GNUPG:] ERRSIG 11 22 8 00 1 9 44\n[GNUPG:] NO_PUBKEY 11\n";
        assert_eq!(fault(false, unknown), (Fault::UnknownKey, "11".to_owned()));
        let weak = GOOD.replace("22 8 00 33", "22 2 00 33");
        assert_eq!(fault(true, &weak).0, Fault::WeakDigest("SHA-1"));
        let no_validity = GOOD.replace("VALIDSIG", "OTHER");
        assert_eq!(fault(true, &no_validity).0, Fault::BadSignature);
        assert_eq!(fault(true, "").0, Fault::BadSignature);
        // A user id can't play a status line: gpg escapes what would end one.
        assert_eq!(fault(true, "GOODSIG 11 A\nVALIDSIG 22").0, Fault::BadSignature);
    }

    #[test]
    fn the_next_expiry_is_of_any_key() {
        let listing = "tru::1:1:0:3:1:5\npub:u:255:22:AA:100:900:::\nfpr:::::::::AAA:\nsub:u:255:22:BB:100:700:::\nsub:u:1:1:C:1::::\n";
        assert_eq!(next_expiry(listing, 200), Some(700));
        assert_eq!(next_expiry(listing, 700), Some(900));
        assert_eq!(next_expiry(listing, 900), None);
    }
}
