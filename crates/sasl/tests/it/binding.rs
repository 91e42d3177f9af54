//! Channel binding and downgrades, seen from the server and from the client
//! (RFC 5802 §6, XEP-0440, XEP-0474).

use crate::common::{JULIET, challenge, client_nonce, full_offer, server, start, step, tls};
use anser_sasl::client::{Client, ClientFault};
use anser_sasl::{BindingFault, BindingType, ChannelBindings, Hash, Mechanism, Offer, SaslFault};

const BOUND: Mechanism = Mechanism::ScramPlus(Hash::Sha256);
const UNBOUND: Mechanism = Mechanism::Scram(Hash::Sha256);

fn first(header: &str) -> Vec<u8> {
    format!("{header}n=juliet,r=client-nonce").into_bytes()
}

fn fault_of(mechanism: Mechanism, offer: &Offer, header: &str) -> Option<BindingFault> {
    match step(server(mechanism, offer, &tls()), &first(header)) {
        Ok(_) => None,
        Err(SaslFault::Binding(fault)) => Some(fault),
        Err(other) => panic!("{other}"),
    }
}

/// RFC 5802 §6
#[test]
fn the_flag_of_the_client_must_fit_the_mechanism_and_the_offer() {
    let full = full_offer();
    let no_plus = Offer::new(["SCRAM-SHA-256"], []);
    let end_point_only = Offer::new(["SCRAM-SHA-256-PLUS"], ["tls-server-end-point"]);
    for (mechanism, offer, header, fault) in [
        (UNBOUND, &full, "n,,", None),
        (UNBOUND, &full, "y,,", Some(BindingFault::Downgrade)),
        (
            UNBOUND,
            &full,
            "p=tls-exporter,,",
            Some(BindingFault::NotNegotiated),
        ),
        (UNBOUND, &no_plus, "n,,", None),
        (UNBOUND, &no_plus, "y,,", None),
        (
            UNBOUND,
            &no_plus,
            "p=tls-exporter,,",
            Some(BindingFault::NotNegotiated),
        ),
        (BOUND, &full, "n,,", Some(BindingFault::NotUsed)),
        (BOUND, &full, "y,,", Some(BindingFault::NotUsed)),
        (BOUND, &full, "p=tls-exporter,,", None),
        (BOUND, &full, "p=tls-server-end-point,,", None),
        (
            BOUND,
            &full,
            "p=tls-unique,,",
            Some(BindingFault::UnsupportedType),
        ),
        (
            BOUND,
            &full,
            "p=TLS-EXPORTER,,",
            Some(BindingFault::UnsupportedType),
        ),
        (
            BOUND,
            &end_point_only,
            "p=tls-exporter,,",
            Some(BindingFault::UnsupportedType),
        ),
        (BOUND, &end_point_only, "p=tls-server-end-point,,", None),
    ] {
        assert_eq!(
            fault_of(mechanism, offer, header),
            fault,
            "{mechanism} {header}"
        );
    }
}

/// RFC 5802 §6: offered, and yet the connection has it not
#[test]
fn a_type_without_data_is_not_supported() {
    let without_tls = ChannelBindings::default();
    let result = step(
        server(BOUND, &full_offer(), &without_tls),
        &first("p=tls-exporter,,"),
    );
    let unsupported = SaslFault::Binding(BindingFault::UnsupportedType);
    assert_eq!(result.map(|_| ()), Err(unsupported));
}

/// RFC 5802 §6: somebody between the two has a certificate for the name, so each
/// sees a connection of its own
#[test]
fn other_binding_data_are_refused_even_with_the_right_password() {
    for data in [
        ChannelBindings {
            exporter: Some([3; 32]),
            end_point: None,
        },
        ChannelBindings {
            exporter: None,
            end_point: Some(vec![2; 31]),
        },
        ChannelBindings {
            exporter: None,
            end_point: Some(vec![2; 33]),
        },
        ChannelBindings {
            exporter: None,
            end_point: Some(vec![]),
        },
    ] {
        let (client, first) = start(BOUND, JULIET, &full_offer(), &data);
        let (sent, server) = challenge(server(BOUND, &full_offer(), &tls()), &first);
        let (_, last) = client.challenge(sent.as_bytes()).unwrap();
        let mismatch = SaslFault::Binding(BindingFault::Mismatch);
        assert_eq!(step(server, &last).map(|_| ()), Err(mismatch));
    }
}

/// RFC 5802 §6: the header is repeated, so nobody changes it on its way
#[test]
fn a_header_that_was_changed_on_its_way_is_noticed() {
    let offer = Offer::new(["SCRAM-SHA-256"], []);
    let (client, first) = start(UNBOUND, JULIET, &offer, &tls());
    let changed = String::from_utf8(first).unwrap().replacen('y', "n", 1);
    let (sent, server) = challenge(server(UNBOUND, &offer, &tls()), changed.as_bytes());
    let (_, last) = client.challenge(sent.as_bytes()).unwrap();
    let mismatch = SaslFault::Binding(BindingFault::Mismatch);
    assert_eq!(step(server, &last).map(|_| ()), Err(mismatch));
}

/// XEP-0440 §3, rules 2 and 3
#[test]
fn the_client_says_what_it_knows_about_channel_binding() {
    let no_plus = Offer::new(["SCRAM-SHA-256"], []);
    for (mechanism, offer, bindings, header) in [
        (UNBOUND, &no_plus, ChannelBindings::default(), "n,,"),
        (UNBOUND, &no_plus, tls(), "y,,"),
        (UNBOUND, &full_offer(), ChannelBindings::default(), "n,,"),
        (UNBOUND, &full_offer(), tls(), "n,,"),
        (BOUND, &full_offer(), tls(), "p=tls-exporter,,"),
    ] {
        let (_, first) = start(mechanism, JULIET, offer, &bindings);
        assert!(first.starts_with(header.as_bytes()), "{mechanism} {header}");
    }
}

/// XEP-0440 §3, rules 4 to 6
#[test]
fn the_client_refuses_an_offer_that_cannot_be_honest() {
    let begin = |mechanism, offer: &Offer| {
        Client::start(mechanism, JULIET, offer, &tls(), client_nonce())
            .map(|_| ())
            .err()
    };
    let no_mechanism = Offer::new(["SCRAM-SHA-256"], ["tls-exporter"]);
    assert_eq!(
        begin(UNBOUND, &no_mechanism),
        Some(ClientFault::NoBoundMechanism)
    );
    let no_type = Offer::new(["SCRAM-SHA-256-PLUS"], []);
    assert_eq!(begin(BOUND, &no_type), Some(ClientFault::NoBinding));
    let unknown_type = Offer::new(["SCRAM-SHA-256-PLUS"], ["tls-unique"]);
    assert_eq!(begin(BOUND, &unknown_type), Some(ClientFault::NoBinding));
    assert_eq!(
        begin(UNBOUND, &no_type),
        Some(ClientFault::NotOffered(UNBOUND))
    );
}

/// XEP-0474 §6.2: somebody shortens the list on its way to the client
#[test]
fn the_client_notices_that_the_offer_was_shortened() {
    let names = Mechanism::ALL.map(Mechanism::name);
    let bindings = BindingType::ALL.map(BindingType::name);
    let weak = Mechanism::Scram(Hash::Sha1);
    for seen in [
        Offer::new(["SCRAM-SHA-1", "PLAIN"], []),
        Offer::new(names, ["tls-server-end-point"]),
        Offer::new(names, []),
        Offer::new(
            names.into_iter().filter(|name| *name != "SCRAM-SHA-512"),
            bindings,
        ),
        Offer::new(names.into_iter().chain(["X-NEW"]), bindings),
    ] {
        let without_tls = ChannelBindings::default();
        let (client, first) = start(weak, JULIET, &seen, &without_tls);
        let (sent, _) = challenge(server(weak, &full_offer(), &tls()), &first);
        let result = client.challenge(sent.as_bytes()).map(|_| ());
        assert_eq!(result, Err(ClientFault::Downgrade));
    }
}

/// XEP-0474 §6.2: and changes or removes the hash, so that the client goes on
#[test]
fn the_server_notices_that_the_hash_of_the_offer_was_changed() {
    let weak = Mechanism::Scram(Hash::Sha1);
    let without_tls = ChannelBindings::default();
    let seen = Offer::new(["SCRAM-SHA-1"], []);
    let honest_for_seen = {
        let (_, first) = start(weak, JULIET, &seen, &without_tls);
        challenge(server(weak, &seen, &without_tls), &first).0
    };
    let (_, forged_hash) = honest_for_seen.rsplit_once(",h=").unwrap();
    for forge in [
        |rest: &str, hash: &str| format!("{rest},h={hash}"),
        |rest: &str, _: &str| rest.to_owned(),
    ] {
        let (client, first) = start(weak, JULIET, &seen, &without_tls);
        let (sent, server) = challenge(server(weak, &full_offer(), &tls()), &first);
        let (rest, _) = sent.rsplit_once(",h=").unwrap();
        let (_, last) = client
            .challenge(forge(rest, forged_hash).as_bytes())
            .unwrap();
        assert_eq!(
            step(server, &last).map(|_| ()),
            Err(SaslFault::NotAuthorized)
        );
    }
}

/// XEP-0474 §7: new rule 6 of XEP-0440
#[test]
fn a_client_that_has_to_go_without_binding_wants_the_hash_of_the_offer() {
    let unknown_type = Offer::new(["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"], ["tls-unique"]);
    let (client, first) = start(UNBOUND, JULIET, &unknown_type, &tls());
    let (sent, _) = challenge(server(UNBOUND, &unknown_type, &tls()), &first);
    assert!(client.challenge(sent.as_bytes()).is_ok());
    let (client, _) = start(UNBOUND, JULIET, &unknown_type, &tls());
    let stripped = sent.rsplit_once(",h=").unwrap().0;
    let result = client.challenge(stripped.as_bytes()).map(|_| ());
    assert_eq!(result, Err(ClientFault::Downgrade));
}
