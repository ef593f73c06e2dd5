//! PEM as Go reads it (`encoding/pem`, `crypto/tls` and `crypto/x509`): what is neither a
//! certificate nor a key is skipped, and so is a certificate of a bundle that can't be read.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// The certificates of a bundle that may vouch for a server; none where it has none.
pub(in crate::cluster) fn authorities(bundle: &[u8]) -> Vec<Vec<u8>> {
    let mut store = RootCertStore::empty();
    let certificates = CertificateDer::pem_slice_iter(bundle).filter_map(Result::ok);
    let readable = certificates.filter(|certificate| store.add(certificate.clone()).is_ok());
    readable.map(|certificate| certificate.to_vec()).collect()
}

/// The certificates of a chain, as PEM without anything else; `None` where it has none.
pub(super) fn chain(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    let chain: String = blocks(&text).filter(|it| it.is_certificate()).map(Block::text).collect();
    (!chain.is_empty()).then_some(chain)
}

/// The first private key, as PEM without anything else; `None` where there is none.
pub(super) fn key(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    blocks(&text).find(Block::is_key).map(Block::text)
}

/// One `-----BEGIN …-----` to its end.
struct Block<'a> {
    kind: &'a str,
    /// With the first line and the last one.
    whole: &'a str,
}

impl Block<'_> {
    fn is_certificate(&self) -> bool {
        self.kind == "CERTIFICATE"
    }

    fn is_key(&self) -> bool {
        self.kind == "PRIVATE KEY" || self.kind.ends_with(" PRIVATE KEY")
    }

    fn text(self) -> String {
        format!("{}\n", self.whole)
    }
}

fn blocks(text: &str) -> impl Iterator<Item = Block<'_>> {
    const BEGIN: &str = "-----BEGIN ";
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let at = rest.find(BEGIN)?;
            let begun = &rest[at..];
            let after = &begun[BEGIN.len()..];
            rest = after;
            let Some((kind, _)) = after.split_once("-----") else { continue };
            let last = format!("-----END {kind}-----");
            if kind.contains('\n') {
                continue;
            }
            let Some(end) = begun.find(&last) else { continue };
            let (whole, behind) = begun.split_at(end + last.len());
            rest = behind;
            return Some(Block { kind, whole });
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(kind: &str, text: &str) -> String {
        format!("-----BEGIN {kind}-----\n{text}\n-----END {kind}-----\n")
    }

    #[test]
    fn other_blocks_are_passed_over() {
        let (one, two) = (block("CERTIFICATE", "b25l"), block("CERTIFICATE", "dHdv"));
        let parameters = block("EC PARAMETERS", "eA==");
        let (first, second) = (block("EC PRIVATE KEY", "YQ=="), block("PRIVATE KEY", "Yg=="));
        let all = format!("Bag Attributes\n{parameters}{one}{first}text\n{two}{second}");
        assert_eq!(chain(all.as_bytes()), Some(format!("{one}{two}")));
        assert_eq!(key(all.as_bytes()), Some(first));
        assert_eq!(key(one.as_bytes()), None);
        assert_eq!(chain(parameters.as_bytes()), None);
        for odd in ["", "-----BEGIN ", "-----BEGIN CERTIFICATE-----\nb25l", "-----BEGIN A\n-----"] {
            assert_eq!(chain(odd.as_bytes()), None, "{odd}");
        }
    }

    #[test]
    fn unreadable_certificates_of_a_bundle_are_skipped() {
        let key = rcgen::KeyPair::generate().unwrap();
        let names = vec!["a.example.com".to_owned()];
        let good = rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        let bad = block("CERTIFICATE", "bm9uZQ==");
        let broken = block("CERTIFICATE", "*");
        let all = format!("{bad}{broken}{}{}", key.serialize_pem(), good.pem());
        assert_eq!(authorities(all.as_bytes()), [good.der().to_vec()]);
        assert!(authorities(bad.as_bytes()).is_empty());
        assert!(authorities(b"").is_empty());
    }
}
