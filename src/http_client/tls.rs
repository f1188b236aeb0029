//! TLS, with the certificate authorities that Mozilla trusts.

use std::io;
use std::sync::{Arc, OnceLock};

use rustls::crypto::ring;
use rustls::pki_types::{InvalidDnsNameError, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Host;

/// Returns the configuration for all guests. It is built once, and reads nothing from the system.
pub(super) fn config() -> &'static Arc<ClientConfig> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    CONFIG.get_or_init(|| {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        Arc::new(with_roots(roots))
    })
}

/// Returns a configuration that trusts these authorities.
fn with_roots(roots: RootCertStore) -> ClientConfig {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.expect("the provider supports the default versions");
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

/// Negotiates TLS with the server `host`.
///
/// # Errors
/// Fails if the server's certificate is not valid for this host.
pub(super) async fn handshake(
    stream: TcpStream,
    host: &Host<&str>,
    config: &Arc<ClientConfig>,
) -> io::Result<TlsStream<TcpStream>> {
    let name = match *host {
        Host::Domain(name) => ServerName::try_from(name.to_owned()).map_err(|_: InvalidDnsNameError| {
            io::Error::new(io::ErrorKind::InvalidInput, "TLS needs a valid host name")
        })?,
        Host::Ipv4(address) => ServerName::IpAddress(address.into()),
        Host::Ipv6(address) => ServerName::IpAddress(address.into()),
    };
    TlsConnector::from(Arc::clone(config)).connect(name, stream).await
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::{Ipv4Addr, TcpListener};
    use std::thread;

    use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
    use rustls::{ServerConfig, ServerConnection, Stream};
    use tokio::io::AsyncReadExt as _;

    use super::*;

    const AUTHORITY: &[u8] = include_bytes!("../../fixtures/tls/authority.der");
    const CERTIFICATE: &[u8] = include_bytes!("../../fixtures/tls/server.der");
    const KEY: &[u8] = include_bytes!("../../fixtures/tls/server-key.der");

    /// Connects to a server that sends `hello` with a certificate for `localhost` and 127.0.0.1. Returns the bytes received.
    fn received(host: &Host<&str>, config: &Arc<ClientConfig>) -> io::Result<String> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let server = thread::spawn(move || {
            let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(KEY));
            let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
            let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
            let config = builder.with_single_cert(vec![CertificateDer::from(CERTIFICATE)], key).unwrap();
            let mut connection = ServerConnection::new(Arc::new(config)).unwrap();
            let mut client = listener.accept().unwrap().0;
            // The client may refuse the certificate.
            let _ = Stream::new(&mut connection, &mut client).write_all(b"hello");
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let received = runtime.block_on(async {
            let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
            let mut stream = handshake(stream, host, config).await?;
            let mut text = [0; 5];
            stream.read_exact(&mut text).await?;
            Ok(String::from_utf8_lossy(&text).into_owned())
        });
        server.join().unwrap();
        received
    }

    #[test]
    fn a_certificate_must_be_valid_for_the_host_and_come_from_a_trusted_authority() {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(AUTHORITY)).unwrap();
        let trusting = Arc::new(with_roots(roots));
        for host in [Host::Domain("localhost"), Host::Ipv4(Ipv4Addr::LOCALHOST)] {
            assert_eq!(received(&host, &trusting).unwrap(), "hello");
            let refused = received(&host, config()).unwrap_err();
            assert!(refused.to_string().contains("UnknownIssuer"), "{refused}");
        }
        for host in [Host::Domain("example.org"), Host::Ipv4(Ipv4Addr::new(127, 0, 0, 2))] {
            let refused = received(&host, &trusting).unwrap_err();
            assert!(refused.to_string().contains("not valid for name"), "{refused}");
        }
    }
}
