//! A table of what is trusted, and what is not.

use super::*;
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, date_time_ymd};

/// A certificate and what is needed to sign others with it.
struct TestCertificate {
    der: CertificateDer<'static>,
    params: CertificateParams,
    key: KeyPair,
}

fn params(name: &str, is_authority: bool) -> CertificateParams {
    let mut params = CertificateParams::new(vec!["api.example".to_owned()]).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    if is_authority {
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    }
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2030, 1, 1));
    params
}

fn made(params: CertificateParams, by: Option<&TestCertificate>) -> TestCertificate {
    let key = KeyPair::generate().unwrap();
    let certificate = match by {
        Some(by) => params.signed_by(&key, &Issuer::from_params(&by.params, &by.key)).unwrap(),
        None => params.self_signed(&key).unwrap(),
    };
    TestCertificate { der: certificate.der().clone(), params, key }
}

#[test]
fn only_the_very_certificate_is_trusted_for_itself() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let (authority, other) = (made(params("ours", true), None), made(params("other", true), None));
    let own = made(params("api", true), None);
    // The same in every word, with another key.
    let alike = made(params("api", true), None);
    let leaf = made(params("leaf", false), Some(&other));
    let of_leaf = made(params("below", false), Some(&leaf));
    let of_own = made(params("below", false), Some(&own));
    let of_authority = made(params("signed", false), Some(&authority));
    let mut purposes = params("clients", false);
    purposes.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let for_clients = made(purposes.clone(), Some(&other));
    purposes.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
    let for_both = made(purposes.clone(), Some(&other));
    purposes.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any];
    let for_any = made(purposes, Some(&other));

    let (here, there) = ("api.example", "other.example");
    let (early, now, late) =
        (date_time_ymd(2019, 12, 31), date_time_ymd(2025, 1, 1), date_time_ymd(2030, 1, 2));
    let rows = [
        ("its own authority", &own, vec![&own], here, now, "trusted"),
        ("among others", &own, vec![&authority, &own], here, now, "trusted"),
        ("signed by an unknown one", &leaf, vec![&leaf], here, now, "trusted"),
        ("for both purposes", &for_both, vec![&for_both], here, now, "trusted"),
        ("for any purpose", &for_any, vec![&for_any], here, now, "trusted"),
        ("signed as ever", &of_authority, vec![&authority], here, now, "trusted"),
        ("what its own authority signed", &of_own, vec![&own], here, now, "trusted"),
        ("too early", &own, vec![&own], here, early, "NotYetValid"),
        ("too late", &own, vec![&own], here, late, "Expired"),
        ("another name", &own, vec![&own], there, now, "WrongName"),
        ("another name, signed", &of_authority, vec![&authority], there, now, "WrongName"),
        ("for clients", &for_clients, vec![&for_clients], here, now, "NotForServers"),
        ("alike", &alike, vec![&own], here, now, "UnknownAuthority"),
        ("not there", &own, vec![&authority], here, now, "UnknownAuthority"),
        ("what a leaf signed", &of_leaf, vec![&leaf], here, now, "UnknownAuthority"),
        ("what is not there signed", &of_own, vec![&authority], here, now, "UnknownAuthority"),
    ];
    for (what, shown, trusted, name, time, expected) in rows {
        let trusted = trusted.iter().map(|it| it.der.clone()).collect();
        let name = ServerName::try_from(name).unwrap();
        let time = Duration::from_secs(time.unix_timestamp().unsigned_abs());
        let verifier = Verifier::new(trusted, None).unwrap();
        let verified = verifier.verify_server_cert(
            &shown.der,
            &[],
            &name,
            &[],
            UnixTime::since_unix_epoch(time),
        );
        let came = verified.map_or_else(
            |error| format!("{:?}", super::super::TlsFault::of(&error).unwrap()),
            |_| "trusted".to_owned(),
        );
        assert!(came.starts_with(expected), "{what}: {came}");
    }
}

#[test]
fn verifier_needs_a_certificate_authority() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    assert!(Verifier::new(Vec::new(), None).is_none());
    assert!(Verifier::new(vec![CertificateDer::from(vec![0x30, 3, 2, 1, 1])], None).is_none());
}
