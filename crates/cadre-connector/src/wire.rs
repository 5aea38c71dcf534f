//! The guarded HTTP client: the only way out to a URL that a user can influence.
//!
//! No private, loopback or link-local address is asked unless that is allowed: checked for an address
//! in the URL, after a name was resolved, and again on each redirect. Bodies are taken in up to a cap.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::BytesMut;
use futures::StreamExt;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};
use url::{Host, Url};

use crate::exchange::{ClientIdentity, HttpRequest, HttpResponse, HttpSend, SendError};
use crate::transport::dial::is_public;

/// What goes along to another host: nothing that the first one was meant to see.
const HARMLESS_HEADERS: &[&str] = &["accept", "accept-language", "user-agent"];

/// Most clients with a certificate that are kept.
const MOST_IDENTITIES: usize = 64;

/// The hash by which a certificate is known.
type Digest = [u8; 32];

/// What the client allows.
#[derive(Debug, Clone)]
pub struct WireOptions {
    /// Whether addresses inside private networks and of this machine may be asked.
    pub allow_private: bool,
    /// Most redirects of one request.
    pub max_redirects: usize,
    /// How long connecting may take, within the deadline of the exchange.
    pub connect_timeout: Duration,
}

impl Default for WireOptions {
    fn default() -> Self {
        Self { allow_private: false, max_redirects: 5, connect_timeout: Duration::from_secs(10) }
    }
}

/// The guarded HTTP client. Cheap to clone.
#[derive(Clone)]
pub struct Wire {
    client: reqwest::Client,
    /// Clients that open their connections with a certificate, by its hash.
    identified: Arc<Mutex<HashMap<Digest, reqwest::Client>>>,
    options: WireOptions,
}

impl Wire {
    /// A client.
    ///
    /// # Errors
    ///
    /// When the client cannot be set up, in words.
    pub fn new(options: WireOptions) -> Result<Wire, String> {
        let client = client(&options, None)?;
        Ok(Wire { client, identified: Arc::default(), options })
    }

    /// The client for a request: of its own where it has a certificate.
    fn client_for(&self, request: &HttpRequest) -> Result<reqwest::Client, SendError> {
        let Some(identity) = &request.identity else { return Ok(self.client.clone()) };
        let key: Digest = Sha256::digest(identity.pem().as_bytes()).into();
        let mut known = self.identified.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = known.get(&key) {
            return Ok(client.clone());
        }
        let client = client(&self.options, Some(identity)).map_err(SendError::Unsendable)?;
        if known.len() >= MOST_IDENTITIES {
            known.clear();
        }
        known.insert(key, client.clone());
        Ok(client)
    }

    /// Refuses a URL whose host is an address that may not be asked.
    fn check(&self, url: &Url) -> Result<(), SendError> {
        let address: IpAddr = match url.host() {
            Some(Host::Ipv4(address)) => address.into(),
            Some(Host::Ipv6(address)) => address.into(),
            Some(Host::Domain(_)) => return Ok(()),
            None => return Err(SendError::Unsendable("the URL has no host".to_owned())),
        };
        if self.options.allow_private || is_public(address) {
            Ok(())
        } else {
            Err(SendError::Blocked(refused(address)))
        }
    }

    async fn follow(
        &self,
        mut request: HttpRequest,
        deadline: Duration,
    ) -> Result<HttpResponse, SendError> {
        for _ in 0..=self.options.max_redirects {
            self.check(&request.url)?;
            let response = self.exchange(&request, deadline).await?;
            let Some(target) = redirect(&request, &response)? else { return Ok(response) };
            if target.origin() != request.url.origin() {
                if request.stays {
                    return Ok(response);
                }
                request.identity = None;
                request.headers.retain(|(name, _)| {
                    HARMLESS_HEADERS.iter().any(|harmless| name.eq_ignore_ascii_case(harmless))
                });
            }
            request.url = target;
        }
        Err(SendError::Connect(format!("more than {} redirects", self.options.max_redirects)))
    }

    async fn exchange(
        &self,
        request: &HttpRequest,
        deadline: Duration,
    ) -> Result<HttpResponse, SendError> {
        let method = reqwest::Method::from_bytes(request.method.as_bytes())
            .map_err(|error| SendError::Unsendable(error.to_string()))?;
        let client = self.client_for(request)?;
        let mut outgoing = client.request(method, request.url.clone());
        for (name, value) in &request.headers {
            outgoing = outgoing.header(name, value);
        }
        if let Some(body) = &request.body {
            outgoing = outgoing.body(body.clone());
        }
        let outgoing = outgoing.build().map_err(|_| {
            SendError::Unsendable("a header holds a character that headers cannot hold".to_owned())
        })?;
        let response =
            client.execute(outgoing).await.map_err(|error| no_answer(&error, request, deadline))?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| {
                (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect();
        let most = request.max_body_bytes;
        if response.content_length().is_some_and(|length| length > most) {
            return Err(SendError::TooLarge(most));
        }
        let mut body = BytesMut::new();
        let mut stream = response.bytes_stream();
        while let Some(part) = stream.next().await {
            let part = part.map_err(|error| SendError::Cut(chain(&error)))?;
            if (body.len() + part.len()) as u64 > most {
                return Err(SendError::TooLarge(most));
            }
            body.extend_from_slice(&part);
        }
        Ok(HttpResponse { status, headers, body: body.freeze() })
    }
}

#[async_trait]
impl HttpSend for Wire {
    async fn send(
        &self,
        request: HttpRequest,
        deadline: Duration,
    ) -> Result<HttpResponse, SendError> {
        match tokio::time::timeout(deadline, self.follow(request, deadline)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(SendError::Timeout(deadline)),
        }
    }
}

/// A client, with a certificate or without one; in words what is wrong.
fn client(
    options: &WireOptions,
    identity: Option<&ClientIdentity>,
) -> Result<reqwest::Client, String> {
    let allow_private = options.allow_private;
    // Somebody else may have installed a provider before: that one is used then.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certificate = match identity {
        Some(identity) => {
            let read = reqwest::Identity::from_pem(identity.pem().as_bytes());
            Some(read.map_err(|_| {
                "the client certificate and its private key are not PEM text that belongs together"
                    .to_owned()
            })?)
        }
        None => None,
    };
    let builder = || {
        let builder = reqwest::Client::builder()
            .user_agent(concat!("Cadre/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(options.connect_timeout)
            .dns_resolver(Arc::new(Guard { allow_private }))
            .no_proxy();
        match &certificate {
            Some(certificate) => builder.identity(certificate.clone()),
            None => builder,
        }
    };
    // The machine's own certificates count, so that a company can add its own; a machine without
    // any (a bare container) trusts what browsers trust.
    let client = builder().build().or_else(|_| {
        let mut roots = rustls::RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        let tls = rustls::ClientConfig::builder().with_root_certificates(roots);
        let mut tls = match identity {
            Some(identity) => {
                let (chain, key) = parts(identity)?;
                tls.with_client_auth_cert(chain, key).map_err(|error| error.to_string())?
            }
            None => tls.with_no_client_auth(),
        };
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        builder().tls_backend_preconfigured(tls).build().map_err(|error| chain(&error))
    });
    client.map_err(|error| match identity {
        Some(_) => format!("the client certificate cannot be used: {error}"),
        None => format!("The HTTP client cannot be set up: {error}."),
    })
}

/// Where a redirect of a plain read leads to; `None` when the answer is to be judged as it is.
fn redirect(request: &HttpRequest, response: &HttpResponse) -> Result<Option<Url>, SendError> {
    let reads = matches!(request.method.as_str(), "GET" | "HEAD");
    if !reads || request.takes_redirects || !matches!(response.status, 301 | 302 | 303 | 307 | 308)
    {
        return Ok(None);
    }
    let Some(location) = response.header("location") else { return Ok(None) };
    let target = request
        .url
        .join(location)
        .map_err(|error| SendError::Connect(format!("the redirect cannot be followed: {error}")))?;
    let allowed =
        target.scheme() == "https" || target.scheme() == "http" && request.url.scheme() == "http";
    if !allowed {
        return Err(SendError::Blocked(format!(
            "the redirect leads to {}, which is not https",
            target.scheme()
        )));
    }
    Ok(Some(target))
}

fn no_answer(error: &reqwest::Error, request: &HttpRequest, deadline: Duration) -> SendError {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = source {
        if let Some(Refused(address)) = cause.downcast_ref::<Refused>() {
            return SendError::Blocked(refused(*address));
        }
        source = cause.source();
    }
    if error.is_timeout() && !error.is_connect() {
        return SendError::Timeout(deadline);
    }
    let words = chain(error);
    // With a certificate, an alert of the server is about it: it is the one thing that the two can disagree on
    // after the server's own was taken.
    if request.identity.is_some() && words.contains("received fatal alert") {
        return SendError::CertificateRefused(words);
    }
    // A redirect that cannot be followed is no connection either; everything else was under way.
    if error.is_connect() { SendError::Connect(words) } else { SendError::Unanswered(words) }
}

fn refused(address: IpAddr) -> String {
    format!("the host is at {address}, which is not a public address")
}

type Chain = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// The certificates of an identity, and its key.
fn parts(identity: &ClientIdentity) -> Result<Chain, String> {
    let pem = identity.pem().as_bytes();
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = certificates.map_err(|_| "it is not PEM text".to_owned())?;
    let key = PrivateKeyDer::from_pem_slice(pem).map_err(|_| "it has no private key".to_owned())?;
    Ok((certificates, key))
}

/// The cause of an error, without the URL, which may hold a secret.
fn chain(error: &reqwest::Error) -> String {
    let mut source = std::error::Error::source(error);
    let mut last = None;
    while let Some(cause) = source {
        last = Some(cause.to_string());
        source = cause.source();
    }
    last.unwrap_or_else(|| "no further detail".to_owned())
}

/// Resolves names, and refuses those at addresses that may not be asked.
struct Guard {
    allow_private: bool,
}

/// A name was at this address, which may not be asked.
#[derive(Debug, thiserror::Error)]
#[error("{} is not a public address", .0)]
struct Refused(IpAddr);

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if !allow_private
                && let Some(address) = found.iter().find(|found| !is_public(found.ip()))
            {
                return Err(Refused(address.ip()).into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
