//! Saying who one is, and getting an address (RFC 6120 §6 and §7).

use super::{Client, Fault, condition, error_of, protocol, random};
use anser_sasl::client::{self as sasl, Credentials};
use anser_sasl::{Mechanism, Nonce, Offer};
use anser_xml::Child;
use anser_xmpp_proto::ns;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

impl Client {
    /// The names of the mechanisms that the server offers.
    #[must_use]
    pub fn mechanisms(&self) -> Vec<String> {
        let offered = self.features().child(ns::SASL, "mechanisms");
        let names = offered.iter().flat_map(Child::children);
        names.map(|name| name.text().into_owned()).collect()
    }

    /// Authenticates, with the strongest mechanism if none is named.
    ///
    /// # Errors
    /// [`Fault::Refused`] with the condition; the stream goes on.
    pub fn authenticate(
        &mut self,
        username: &str,
        password: &str,
        mechanism: Option<Mechanism>,
    ) -> Result<(), Fault> {
        let (offer, bindings) = (self.offer(), self.wire.bindings()?);
        let mechanism = mechanism.or_else(|| sasl::choose(&offer, &bindings));
        let mechanism = mechanism.ok_or_else(|| protocol("no mechanism that we know"))?;
        let credentials = Credentials {
            username,
            password,
            authzid: None,
        };
        let nonce = Nonce::from_random(random());
        let (exchange, first) =
            sasl::Client::start(mechanism, credentials, &offer, &bindings, nonce)
                .map_err(protocol)?;
        self.send(&format!(
            "<auth xmlns='{}' mechanism='{}'>{}</auth>",
            ns::SASL,
            mechanism.name(),
            BASE64.encode(first)
        ))?;
        self.finish(exchange)?;
        self.open_stream()
    }

    /// Answers until the server has made up its mind.
    fn finish(&mut self, mut exchange: sasl::Client) -> Result<(), Fault> {
        loop {
            let answer = self.next()?;
            let data = BASE64.decode(answer.text().as_bytes()).map_err(protocol);
            match answer.name() {
                "challenge" => {
                    let (next, response) = exchange.challenge(&data?).map_err(protocol)?;
                    exchange = next;
                    self.send(&format!(
                        "<response xmlns='{}'>{}</response>",
                        ns::SASL,
                        BASE64.encode(response)
                    ))?;
                }
                "success" => {
                    let data = data?;
                    let data = (!data.is_empty()).then_some(&data[..]);
                    return exchange.success(data).map_err(protocol);
                }
                _ => return Err(Fault::Refused(condition(&answer))),
            }
        }
    }

    fn offer(&self) -> Offer {
        let advertised = self
            .features()
            .child(ns::CHANNEL_BINDING, "sasl-channel-binding");
        let bindings: Vec<_> = advertised
            .iter()
            .flat_map(Child::children)
            .filter_map(|binding| Some(binding.attribute("type")?.into_owned()))
            .collect();
        let mechanisms = self.mechanisms();
        Offer::new(
            mechanisms.iter().map(String::as_str),
            bindings.iter().map(String::as_str),
        )
    }

    /// Binds a resource, or one that the server chooses (RFC 6120 §7).
    ///
    /// # Errors
    /// [`Fault::Refused`] with the condition; the stream goes on.
    pub fn bind(&mut self, resource: Option<&str>) -> Result<(), Fault> {
        let resource = resource.map_or(String::new(), |resource| {
            format!("<resource>{resource}</resource>")
        });
        self.send(&format!(
            "<iq type='set' id='bind'><bind xmlns='{}'>{resource}</bind></iq>",
            ns::BIND
        ))?;
        let answer = self.next()?;
        let Some(bound) = answer.child(ns::BIND, "bind") else {
            return Err(Fault::Refused(error_of(&answer).unwrap_or_default()));
        };
        let address = bound.child(ns::BIND, "jid");
        let address = address.ok_or_else(|| protocol("no address"))?;
        self.address = address.text().into_owned();
        Ok(())
    }
}
