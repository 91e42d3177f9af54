//! Certificates for a server that has none yet: signed by an authority of its
//! own, which its users may come to trust.

use super::{CertificateError, Identity};
use anser_store::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use time::{OffsetDateTime, Time};

/// The files of the authority and of the certificate it has signed.
struct Files {
    authority: PathBuf,
    authority_key: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

/// How long a certificate is valid. Apple's systems refuse more than 825 days
/// even if the user trusts the authority.
const VALID: Duration = Duration::from_secs(800 * 24 * 60 * 60);
/// A certificate that has not longer to live is made anew.
const RENEW: Duration = Duration::from_secs(400 * 24 * 60 * 60);
/// The authority is valid from and to these years.
const AUTHORITY_YEARS: [i32; 2] = [2020, 2120];

/// An identity for `domains`, kept in `folder` together with the authority
/// that signed it (`ca.pem`). Both are made if they are not there; the
/// certificate is made anew when the domains change and when it gets old: it
/// is valid for at least 400 days from `now`.
///
/// # Errors
/// [`CertificateError`] if the files cannot be read or written.
pub fn local_identity(
    folder: &Path,
    domains: &[String],
    now: Timestamp,
) -> Result<Identity, CertificateError> {
    let files = Files {
        authority: folder.join("ca.pem"),
        authority_key: folder.join("ca-key.pem"),
        certificate: folder.join("server.pem"),
        key: folder.join("server-key.pem"),
    };
    let is_made = files.certificate.exists() && files.key.exists();
    let note = folder.join("server.txt");
    let is_good = fs::read_to_string(&note).is_ok_and(|text| is_good(&text, domains, now));
    if !is_made || !is_good {
        fs::create_dir_all(folder).map_err(|error| read_error(folder, &error))?;
        let until = now.after(VALID);
        make(&files, domains, now, until)?;
        write(
            &note,
            &format!("{}\n{}", until.millis(), domains.join("\n")),
        )?;
    }
    Identity::read(&files.certificate, &files.key)
}

/// Whether the certificate of which `note` tells will do: until when it is
/// valid, in milliseconds since 1970, and its domains.
fn is_good(note: &str, domains: &[String], now: Timestamp) -> bool {
    let Some((until, names)) = note.split_once('\n') else {
        return false;
    };
    let is_young = |until| Timestamp::from_millis(until).since(now) >= RENEW;
    until.parse().is_ok_and(is_young) && names == domains.join("\n")
}

fn make(
    files: &Files,
    domains: &[String],
    from: Timestamp,
    until: Timestamp,
) -> Result<(), CertificateError> {
    if !files.authority.exists() || !files.authority_key.exists() {
        make_authority(files)?;
    }
    let read = |path: &Path| fs::read_to_string(path).map_err(|error| read_error(path, &error));
    let authority = read(&files.authority)?;
    let authority_key = KeyPair::from_pem(&read(&files.authority_key)?).map_err(unusable)?;
    let issuer = Issuer::new(authority_params(), authority_key);

    let mut params = CertificateParams::new(domains.to_vec()).map_err(unusable)?;
    let name = domains.first().map_or("localhost", String::as_str);
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params.not_before = date(from)?;
    params.not_after = date(until)?;
    let key = KeyPair::generate().map_err(unusable)?;
    let certificate = params.signed_by(&key, &issuer).map_err(unusable)?;
    write(&files.certificate, &(certificate.pem() + &authority))?;
    write_secret(&files.key, &key.serialize_pem())
}

/// All that an authority is but for its key.
fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    [params.not_before, params.not_after] = AUTHORITY_YEARS.map(|year| date_time_ymd(year, 1, 1));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
        .distinguished_name
        .push(DnType::CommonName, "Anser local authority");
    params
}

fn make_authority(files: &Files) -> Result<(), CertificateError> {
    let key = KeyPair::generate().map_err(unusable)?;
    let certificate = authority_params().self_signed(&key).map_err(unusable)?;
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

/// The day of a moment; the clock of a client may be a few hours behind.
fn date(at: Timestamp) -> Result<OffsetDateTime, CertificateError> {
    let seconds = i64::try_from(at.millis() / 1000).unwrap_or(i64::MAX);
    let at = OffsetDateTime::from_unix_timestamp(seconds);
    let at = at.map_err(|error| CertificateError::Unusable(error.to_string()))?;
    Ok(at.replace_time(Time::MIDNIGHT))
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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

    /// The certificate that is in force after asking for one.
    fn certificate(folder: &Path, domains: &[&str], now: Timestamp) -> String {
        let domains: Vec<_> = domains.iter().map(|&domain| domain.to_owned()).collect();
        local_identity(folder, &domains, now).unwrap();
        fs::read_to_string(folder.join("server.pem")).unwrap()
    }

    #[test]
    fn a_certificate_is_kept_until_its_domains_change_or_it_gets_old() {
        let folder = tempfile::tempdir().unwrap();
        let first = certificate(folder.path(), &["a.example"], NOW);
        let authority = fs::read_to_string(folder.path().join("ca.pem")).unwrap();
        let young = NOW.after(VALID - RENEW);
        assert_eq!(certificate(folder.path(), &["a.example"], young), first);

        let both = certificate(folder.path(), &["a.example", "b.example"], young);
        assert_ne!(both, first);
        let old = young.after(VALID - RENEW + Duration::from_secs(1));
        let renewed = certificate(folder.path(), &["a.example", "b.example"], old);
        assert_ne!(renewed, both);
        assert!(renewed.ends_with(&authority));
    }

    #[cfg(unix)]
    #[test]
    fn keys_are_for_nobody_else() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        certificate(folder.path(), &["a.example"], NOW);
        for key in ["ca-key.pem", "server-key.pem"] {
            let permissions = fs::metadata(folder.path().join(key)).unwrap().permissions();
            assert_eq!(permissions.mode() & 0o777, 0o600, "{key}");
        }
    }
}
