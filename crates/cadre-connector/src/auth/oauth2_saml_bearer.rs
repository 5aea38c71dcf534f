//! OAuth 2, a SAML 2.0 assertion as the grant (RFC 7522, 2.1): the customer's private key signs it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cadre_jq::{EvalError, Expr, Vars};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::oauth2_client_credentials::{BodyForm, form_request};
use super::signing::SigningKey;
use super::{Place, SendAs, sign_with_token};
use crate::manifest::{ErrorRule, Expression, Template};
use crate::request::{Built, HttpRequest};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:saml2-bearer";
/// Clocks differ: an assertion is good from so many seconds ago.
const SLACK_SECONDS: i64 = 300;

/// OAuth 2 with a SAML 2.0 assertion as the grant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SamlBearer {
    /// Where the token is asked for.
    pub token_url: Template,
    /// Who says so.
    pub issuer: Template,
    /// In whose name.
    pub subject: Template,
    /// For whom.
    pub audience: Template,
    /// Where it is handed in; by default the address of the token.
    pub recipient: Option<Template>,
    /// The private key: RSA, as PEM text.
    pub private_key: Template,
    /// The certificate of the key, as PEM text; an empty one is left out.
    pub certificate: Option<Template>,
    /// An assertion that was made elsewhere, as base64; unless it is empty, it is sent as it is.
    pub assertion: Option<Template>,
    /// What else it says.
    #[serde(default)]
    pub attributes: IndexMap<String, Template>,
    /// For how many seconds the assertion is good.
    #[serde(default = "ten_minutes")]
    pub lifetime_seconds: i64,
    /// What else is in the body.
    #[serde(default)]
    pub extra: IndexMap<String, Template>,
    /// Finds the token in the answer.
    #[serde(default = "super::access_token")]
    pub token: Expression,
    /// Finds the token's life in the answer, in seconds.
    #[serde(default = "super::expires_in")]
    pub expires_in: Expression,
    /// How the token is sent.
    pub send_as: Option<SendAs>,
    /// How the log-in's answer is judged.
    #[serde(default)]
    pub errors: Vec<ErrorRule>,
    /// What requests carry when `send_as` says nothing else.
    #[serde(skip, default = "super::bearer_value")]
    default_value: Template,
}

fn ten_minutes() -> i64 {
    600
}

impl SamlBearer {
    pub(super) fn sign(&self, request: &mut HttpRequest, vars: &Vars<'_>) -> Result<(), EvalError> {
        sign_with_token(self.send_as.as_ref(), &self.default_value, request, vars)
    }

    /// The request for a token, at a moment in milliseconds since 1970.
    pub(crate) fn log_in(&self, vars: &Vars<'_>, now_ms: i64) -> Built<HttpRequest> {
        let url = self.token_url.text(vars)?;
        let ready = self.assertion.as_ref().map(|text| text.text(vars)).transpose()?;
        let assertion = match ready.filter(|text| !text.trim().is_empty()) {
            Some(ready) => ready.trim().to_owned(),
            None => STANDARD.encode(self.signed(vars, &url, now_ms)?),
        };
        let fields =
            vec![("grant_type".to_owned(), GRANT.to_owned()), ("assertion".to_owned(), assertion)];
        form_request(vars, &url, BodyForm::Form, fields, &self.extra)
    }

    /// The assertion with its signature.
    ///
    /// It is written in the canonical form that the signature is over (Exclusive XML Canonicalization):
    /// attributes in order, no empty-element tags, namespaces where they are first used.
    fn signed(&self, vars: &Vars<'_>, url: &str, now_ms: i64) -> Built<String> {
        let optional = |template: &Option<Template>| -> Built<String> {
            Ok(template.as_ref().map(|text| text.text(vars)).transpose()?.unwrap_or_default())
        };
        let (issuer, subject) = (self.issuer.text(vars)?, self.subject.text(vars)?);
        let (audience, recipient) = (self.audience.text(vars)?, optional(&self.recipient)?);
        let recipient = if recipient.is_empty() { url } else { recipient.as_str() };
        let moment = |seconds: i64| {
            let moment = jiff::Timestamp::from_second(now_ms.div_euclid(1000) + seconds);
            moment.map(|moment| moment.to_string()).map_err(|error| error.to_string())
        };
        let (now, from) = (moment(0)?, moment(-SLACK_SECONDS)?);
        let until = moment(self.lifetime_seconds)?;
        let id = format!(
            "_{:x?}",
            Sha256::digest(format!("{issuer}\n{subject}\n{url}\n{now_ms}")).to_vec()
        );
        let id: String =
            id.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect();
        let mut attributes = String::new();
        for (name, value) in &self.attributes {
            attributes.push_str(&format!(
                "<saml2:Attribute Name=\"{}\"><saml2:AttributeValue>{}</saml2:AttributeValue></saml2:Attribute>",
                in_attribute(name),
                in_text(&value.text(vars)?)
            ));
        }
        if !attributes.is_empty() {
            attributes =
                format!("<saml2:AttributeStatement>{attributes}</saml2:AttributeStatement>");
        }
        let head = format!(
            "<saml2:Assertion xmlns:saml2=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"{id}\" \
             IssueInstant=\"{now}\" Version=\"2.0\"><saml2:Issuer>{}</saml2:Issuer>",
            in_text(&issuer)
        );
        let tail = format!(
            "<saml2:Subject><saml2:NameID \
             Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified\">{}</saml2:NameID>\
             <saml2:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">\
             <saml2:SubjectConfirmationData NotOnOrAfter=\"{until}\" Recipient=\"{}\">\
             </saml2:SubjectConfirmationData></saml2:SubjectConfirmation></saml2:Subject>\
             <saml2:Conditions NotBefore=\"{from}\" NotOnOrAfter=\"{until}\"><saml2:AudienceRestriction>\
             <saml2:Audience>{}</saml2:Audience></saml2:AudienceRestriction></saml2:Conditions>\
             <saml2:AuthnStatement AuthnInstant=\"{now}\" SessionIndex=\"{id}\"><saml2:AuthnContext>\
             <saml2:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport\
             </saml2:AuthnContextClassRef></saml2:AuthnContext></saml2:AuthnStatement>{attributes}\
             </saml2:Assertion>",
            in_text(&subject),
            in_attribute(recipient),
            in_text(&audience)
        );
        let key = SigningKey::read(&self.private_key.text(vars)?)?;
        let digest = STANDARD.encode(Sha256::digest(format!("{head}{tail}")));
        let signature = signature(&key, &id, &digest, &optional(&self.certificate)?)?;
        Ok(format!("{head}{signature}{tail}"))
    }

    pub(super) fn expressions(&self) -> Vec<(String, &Expr, Place)> {
        let mut all = vec![
            ("token_url".to_owned(), self.token_url.expr(), Place::LogIn),
            ("issuer".to_owned(), self.issuer.expr(), Place::LogIn),
            ("subject".to_owned(), self.subject.expr(), Place::LogIn),
            ("audience".to_owned(), self.audience.expr(), Place::LogIn),
            ("private_key".to_owned(), self.private_key.expr(), Place::LogIn),
            ("token".to_owned(), self.token.expr(), Place::Answer),
            ("expires_in".to_owned(), self.expires_in.expr(), Place::Answer),
        ];
        let optional = [
            ("recipient", &self.recipient),
            ("certificate", &self.certificate),
            ("assertion", &self.assertion),
        ];
        for (name, template) in optional {
            all.extend(template.iter().map(|text| (name.to_owned(), text.expr(), Place::LogIn)));
        }
        for (key, templates) in [("attributes", &self.attributes), ("extra", &self.extra)] {
            let texts = templates.iter();
            all.extend(
                texts.map(|(name, text)| (format!("{key}/{name}"), text.expr(), Place::LogIn)),
            );
        }
        let sent = self.send_as.iter().filter_map(|send_as| send_as.value.as_ref());
        all.extend(sent.map(|value| ("send_as/value".to_owned(), value.expr(), Place::Signature)));
        all
    }
}

/// The enveloped signature (XML Signature) of the element with the id, of which this is the digest.
fn signature(key: &SigningKey, id: &str, digest: &str, certificate: &str) -> Built<String> {
    let namespace = "xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"";
    let inner = format!(
        "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">\
         </ds:CanonicalizationMethod>\
         <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\">\
         </ds:SignatureMethod><ds:Reference URI=\"#{id}\"><ds:Transforms>\
         <ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform>\
         <ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform></ds:Transforms>\
         <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod>\
         <ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>"
    );
    // On its own, the signed part carries the namespace; inside of the signature it inherits it.
    let alone = format!("<ds:SignedInfo {namespace}>{inner}</ds:SignedInfo>");
    let value = STANDARD.encode(key.sign(alone.as_bytes())?);
    let packed: String = certificate
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .flat_map(|line| line.chars().filter(|letter| !letter.is_whitespace()))
        .collect();
    let shown = if packed.is_empty() {
        String::new()
    } else {
        format!(
            "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>",
            in_text(&packed)
        )
    };
    Ok(format!(
        "<ds:Signature {namespace}><ds:SignedInfo>{inner}</ds:SignedInfo>\
         <ds:SignatureValue>{value}</ds:SignatureValue>{shown}</ds:Signature>"
    ))
}

/// Text of an element, in canonical form.
fn in_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\r', "&#xD;")
}

/// Value of an attribute, in canonical form.
fn in_attribute(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    text.replace('\t', "&#x9;").replace('\n', "&#xA;").replace('\r', "&#xD;")
}
