//! Certificates for a server that has none yet: signed by an authority of its
//! own, which its users may come to trust.

use super::{CertificateError, Identity};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The files of the authority and of the certificate it has signed.
struct Files {
    authority: PathBuf,
    authority_key: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

/// An identity for `domains`, kept in `folder` together with the authority
/// that signed it (`ca.pem`). Both are made if they are not there; the
/// certificate is made anew when the domains change.
///
/// # Errors
/// [`CertificateError`] if the files cannot be read or written.
pub fn local_identity(folder: &Path, domains: &[String]) -> Result<Identity, CertificateError> {
    let files = Files {
        authority: folder.join("ca.pem"),
        authority_key: folder.join("ca-key.pem"),
        certificate: folder.join("server.pem"),
        key: folder.join("server-key.pem"),
    };
    let names = folder.join("server-names.txt");
    let wanted = domains.join("\n");
    let is_made = files.certificate.exists() && files.key.exists();
    if !is_made || fs::read_to_string(&names).ok().as_deref() != Some(&wanted) {
        create_folder(folder).map_err(|error| read_error(folder, &error))?;
        make(&files, domains)?;
        fs::write(&names, wanted).map_err(|error| read_error(&names, &error))?;
    }
    Identity::read(&files.certificate, &files.key)
}

fn make(files: &Files, domains: &[String]) -> Result<(), CertificateError> {
    if !files.authority.exists() || !files.authority_key.exists() {
        make_authority(files)?;
    }
    let read = |path: &Path| fs::read_to_string(path).map_err(|error| read_error(path, &error));
    let authority = read(&files.authority)?;
    let authority_key = KeyPair::from_pem(&read(&files.authority_key)?).map_err(unusable)?;
    let issuer = Issuer::from_ca_cert_pem(&authority, authority_key).map_err(unusable)?;

    let mut params = CertificateParams::new(domains.to_vec()).map_err(unusable)?;
    let name = domains.first().map_or("localhost", String::as_str);
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate().map_err(unusable)?;
    let certificate = params.signed_by(&key, &issuer).map_err(unusable)?;
    write(&files.certificate, &(certificate.pem() + &authority))?;
    write_secret(&files.key, &key.serialize_pem())
}

fn make_authority(files: &Files) -> Result<(), CertificateError> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
        .distinguished_name
        .push(DnType::CommonName, "Anser local authority");
    let key = KeyPair::generate().map_err(unusable)?;
    let certificate = params.self_signed(&key).map_err(unusable)?;
    write_secret(&files.authority_key, &key.serialize_pem())?;
    write(&files.authority, &certificate.pem())
}

fn write(path: &Path, text: &str) -> Result<(), CertificateError> {
    fs::write(path, text).map_err(|error| read_error(path, &error))
}

#[cfg(unix)]
fn write_secret(path: &Path, text: &str) -> Result<(), CertificateError> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| read_error(path, &error))
}

fn create_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

fn read_error(path: &Path, error: &io::Error) -> CertificateError {
    CertificateError::Read {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the form of `map_err`")]
fn unusable(error: rcgen::Error) -> CertificateError {
    CertificateError::Unusable(error.to_string())
}
