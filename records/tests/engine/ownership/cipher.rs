//! Encrypted ownership texts.

use records::ownership::Cipher;

const KEY: &[u8] = b"01234567890123456789012345678901";
/// The same key in base64.
const KEY_BASE64: &[u8] = b"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
/// Written by external-dns.
const SEALED: &str = "AAECAwQFBgcICQoL5ZEatZ3pTVRElDVakYIwXdtdWJLygrL14qzkqXxgQeUt91eIwgsV8eSRPDvSYofM0O7anKDsIEPPfmcNf85VatNa4i/ZIlHaHuQhUq+q/WSp9ajYNHtqzG+u9GxWbaM4YRC8hDKw9wxFGfEF";
const PLAIN: &str =
    "heritage=external-dns,external-dns/owner=default,external-dns/resource=ingress/default/foo";

#[test]
fn what_external_dns_encrypted_is_read() {
    for key in [KEY, KEY_BASE64] {
        let opened = Cipher::new(key).unwrap().open(SEALED).unwrap();
        assert_eq!(opened.text, PLAIN);
        assert_eq!(&*opened.nonce, "AAECAwQFBgcICQoL");
    }
}

#[test]
fn what_is_encrypted_is_decrypted_again_and_nothing_else_is() {
    let cipher = Cipher::new(KEY).unwrap();
    let sealed = cipher.seal("a-www.example.com", PLAIN).unwrap();
    assert_eq!(cipher.open(&sealed).unwrap().text, PLAIN);

    let other = Cipher::new(b"another key of thirty-two octets").unwrap();
    assert_eq!(other.open(&sealed), None);
    for broken in ["", "AAEC", PLAIN, "AAECAwQFBgcICQoL", &sealed[..sealed.len() - 4]] {
        assert_eq!(cipher.open(broken), None, "{broken}");
    }
}

#[test]
fn a_nonce_serves_for_one_text_of_one_place() {
    let cipher = Cipher::new(KEY).unwrap();
    let sealed = |place, text| cipher.seal(place, text).unwrap();
    let nonce = |sealed: &str| cipher.open(sealed).unwrap().nonce;
    let first = sealed("a-www.example.com", PLAIN);
    assert_eq!(first, sealed("a-www.example.com", PLAIN));
    assert_ne!(nonce(&first), nonce(&sealed("a-mail.example.com", PLAIN)));
    assert_ne!(
        nonce(&first),
        nonce(&sealed("a-www.example.com", "heritage=external-dns"))
    );
}

#[test]
fn keys_of_another_size_are_refused() {
    for key in [
        &b""[..],
        b"short",
        &KEY[1..],
        &KEY_BASE64[4..],
        b"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE",
    ] {
        let refused = Cipher::new(key).unwrap_err();
        assert!(refused.to_string().contains("32 octets"), "{refused}");
    }
}

#[test]
fn keys_do_not_show() {
    let shown = format!("{:?}", Cipher::new(KEY).unwrap());
    assert_eq!(shown, "Cipher { .. }");
}
