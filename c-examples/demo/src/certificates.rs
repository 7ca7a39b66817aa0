//! The certificates of the secure session, made anew for each: an authority of the demo's own, and
//! what it issues to the broker and to the `cli` example.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// Files in PEM, and the keys that belong to two of them.
pub struct Certificates {
    pub authority: PathBuf,
    pub broker: Identity,
    pub client: Identity,
}

/// A certificate and its key.
pub struct Identity {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Certificates {
    /// What the `cli` example is told of them.
    pub fn options(&self) -> Vec<OsString> {
        let client = &self.client;
        let files = [&self.authority, &client.certificate, &client.key];
        ["--cafile", "--cert", "--key"]
            .iter()
            .zip(files)
            .flat_map(|(option, file)| [option.into(), file.into()])
            .collect()
    }
}

/// Makes those for a broker on this machine.
pub fn make(folder: &Path) -> Result<Certificates, Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    let mut parameters = named("The demo's authority", Vec::new())?;
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let authority = CertifiedIssuer::self_signed(parameters, KeyPair::generate()?)?;
    let file = folder.join("ca.crt");
    fs::write(&file, authority.pem())?;

    let issue = |name: &str, of: Vec<String>, purpose| -> Result<Identity, Box<dyn Error>> {
        let mut parameters = named(name, of)?;
        parameters.extended_key_usages = vec![purpose];
        let key = KeyPair::generate()?;
        let identity = Identity {
            certificate: folder.join(format!("{name}.crt")),
            key: folder.join(format!("{name}.key")),
        };
        fs::write(
            &identity.certificate,
            parameters.signed_by(&key, &authority)?.pem(),
        )?;
        fs::write(&identity.key, key.serialize_pem())?;
        Ok(identity)
    };
    Ok(Certificates {
        broker: issue(
            "broker",
            vec!["localhost".into()],
            ExtendedKeyUsagePurpose::ServerAuth,
        )?,
        client: issue("client", Vec::new(), ExtendedKeyUsagePurpose::ClientAuth)?,
        authority: file,
    })
}

/// For these names or addresses, none for an authority or a client.
fn named(common_name: &str, of: Vec<String>) -> Result<CertificateParams, rcgen::Error> {
    let mut parameters = CertificateParams::new(of)?;
    parameters
        .distinguished_name
        .push(DnType::CommonName, common_name);
    Ok(parameters)
}
