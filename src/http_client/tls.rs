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
    #[expect(clippy::expect_used, reason = "ring supports TLS 1.2 and 1.3")]
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
