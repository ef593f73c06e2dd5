//! The identities of a sandbox: the sandbox's own authority, and the certificates that it hands
//! out. All of it is generated for every sandbox and lives only in its folder.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use super::Error;

use crate::core::json::json;
use crate::core::right_cluster::SANDBOX;

/// The authority that signs every certificate.
pub(super) struct Identity {
    issuer: Issuer<'static, KeyPair>,
    authority: rcgen::Certificate,
}

/// A certificate and its key.
pub(super) struct IssuedCertificate {
    pub(super) certificate: rcgen::Certificate,
    pub(super) key: KeyPair,
}

impl Identity {
    /// A new authority.
    pub(super) fn new() -> Result<Self, Error> {
        let mut params = certificate_params("trueup sandbox", None);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate()?;
        let authority = params.self_signed(&key)?;
        Ok(Self { issuer: Issuer::new(params, key), authority })
    }

    /// The authority's certificate.
    pub(super) fn authority(&self) -> &rcgen::Certificate {
        &self.authority
    }

    /// The API server's certificate, good on loopback only.
    pub(super) fn server(&self) -> Result<IssuedCertificate, Error> {
        let mut params = CertificateParams::new(["127.0.0.1".to_owned(), "localhost".to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, "kube-apiserver");
        self.sign(params, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A user's certificate.
    pub(super) fn client(
        &self,
        user: &str,
        group: Option<&str>,
    ) -> Result<IssuedCertificate, Error> {
        self.sign(certificate_params(user, group), ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn sign(
        &self,
        mut params: CertificateParams,
        usage: ExtendedKeyUsagePurpose,
    ) -> Result<IssuedCertificate, Error> {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        Ok(IssuedCertificate { certificate: params.signed_by(&key, &self.issuer)?, key })
    }

    /// A kubeconfig with everything in it; JSON, which is YAML.
    pub(super) fn kubeconfig(&self, address: &str, user: &IssuedCertificate) -> String {
        let encode = |pem: String| STANDARD.encode(pem);
        let name = SANDBOX;
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{ "name": name, "cluster": {
                "server": address,
                "certificate-authority-data": encode(self.authority.pem()),
            }}],
            "users": [{ "name": name, "user": {
                "client-certificate-data": encode(user.certificate.pem()),
                "client-key-data": encode(user.key.serialize_pem()),
            }}],
            "contexts": [{ "name": name, "context": { "cluster": name, "user": name } }],
            "current-context": name,
        })
        .to_string()
    }
}

fn certificate_params(user: &str, group: Option<&str>) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, user);
    if let Some(group) = group {
        params.distinguished_name.push(DnType::OrganizationName, group);
    }
    params
}
