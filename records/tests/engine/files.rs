//! Files of endpoints: their forms, and what is in force while they are written.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use records::source::file::{Files, Reading};
use records::source::merge;
use tempfile::TempDir;

const LIST: &str = "\
- dnsName: a.example.com
  recordType: A
  targets: [192.0.2.1]
- dnsName: b.example.com
  recordType: CNAME
  targets:
    - c.example.com
";

/// A folder of files that are read.
struct Folder {
    folder: TempDir,
    files: Files,
}

impl Folder {
    fn new() -> Self {
        let folder = TempDir::with_prefix("records-").unwrap();
        let files = Files::new(vec![folder.path().into()]);
        Self { folder, files }
    }

    fn with(file: &str, text: &str) -> Self {
        let folder = Self::new();
        folder.write(file, text);
        folder
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.path(file), text).unwrap();
    }

    fn remove(&self, file: &str) {
        fs::remove_file(self.path(file)).unwrap();
    }
}

/// `name < resource` of each wanted record set, without the folder's own name.
fn names(reading: &Reading, folder: &Path) -> Vec<String> {
    let own = folder.file_name().unwrap().to_str().unwrap();
    let endpoints = reading.wanted.endpoints.iter();
    endpoints
        .map(|endpoint| {
            format!(
                "{} < {}",
                endpoint.dns_name,
                endpoint.labels.get("resource").unwrap().replace(own, "FOLDER")
            )
        })
        .collect()
}

fn first_reading(file: &str, text: &str) -> (Vec<String>, Reading) {
    let mut folder = Folder::with(file, text);
    let reading = folder.files.read();
    (names(&reading, folder.folder.path()), reading)
}

const OBJECT: &str = "\
apiVersion: externaldns.k8s.io/v1alpha1
kind: DNSEndpoint
metadata: {name: web, namespace: team}
spec:
  endpoints:
  - {dnsName: a.example.com, recordType: A, targets: [192.0.2.1]}
  - null
";
const JSON: &str = r#"[{"dnsName":"a.example.com","recordType":"A","targets":["192.0.2.1"]}]"#;

/// A file is taken as it is, and wants this.
fn wants(file: &str, text: &str, expected: &[&str]) {
    let (names, reading) = first_reading(file, text);
    assert_eq!(names, expected, "{text}");
    assert!(reading.failures.is_empty(), "{:?}", reading.failures);
    assert_eq!(reading.wanted.rejected, [], "{text}");
    assert!(reading.complete && reading.settled, "{text}");
}

#[test]
fn every_form_of_a_document_is_read() {
    let both = [
        "a.example.com < file/FOLDER/list.yaml",
        "b.example.com < file/FOLDER/list.yaml",
    ];
    wants("list.yaml", LIST, &both);
    wants("list.json", JSON, &["a.example.com < file/FOLDER/list.json"]);
    let wrapped = format!(r#"{{"endpoints":{JSON}}}"#);
    wants("w.json", &wrapped, &["a.example.com < file/FOLDER/w.json"]);
    wants("object.yaml", OBJECT, &["a.example.com < file/team/web"]);
    let homeless = OBJECT.replace(", namespace: team", "");
    wants("object.yaml", &homeless, &["a.example.com < file/default/web"]);
    wants("empty.yaml", "[]\n", &[]);
    wants("no-spec.yaml", OBJECT.split("spec:").next().unwrap(), &[]);
}

#[test]
fn several_documents_of_a_file_are_read() {
    let several = format!("---\n{OBJECT}---\n---\n# nothing\n---\n{LIST}");
    let expected = [
        "a.example.com < file/team/web",
        "a.example.com < file/FOLDER/several.yaml",
        "b.example.com < file/FOLDER/several.yaml",
    ];
    wants("several.yaml", &several, &expected);
    let twice = ["a.example.com < file/FOLDER/several.json"; 2];
    wants("several.json", &format!("{JSON}\n{JSON}"), &twice);
    let item = OBJECT.trim_end().replace('\n', "\n  ");
    let list = format!("apiVersion: v1\nkind: List\nitems:\n- {item}");
    wants("items.yaml", &list, &["a.example.com < file/team/web"]);
}

/// What would end a word of an ownership record is not in the label.
#[test]
fn a_label_is_one_word_whatever_the_file_is_called() {
    let file = "in \"yaml\", or so.yml";
    wants(
        file,
        &format!("endpoints: {JSON}\n"),
        &["a.example.com < file/FOLDER/in__yaml___or_so.yml"],
    );
}

#[test]
fn a_malformed_endpoint_is_told_with_its_file_and_document() {
    let text = format!(
        "{LIST}---\n- dnsName: a\n  recordType: A\n  targets: [192.0.2.1]\n- {{dnsName: bad, recordType: A}}\n"
    );
    let (names, reading) = first_reading("x.yaml", &text);
    assert_eq!(names.len(), 3);
    let told = reading.wanted.rejected[0].to_string();
    let expected = "x.yaml, document 2: endpoints[1] (\"bad\"): targets: at least one is needed";
    assert!(told.ends_with(expected), "{told}");
    assert!(reading.complete, "the file itself is understood");
}

#[test]
fn what_is_no_list_of_endpoints_is_told_and_wants_nothing_known() {
    for (file, text, expected) in [
        ("x.yaml", "a: [1", "failed to parse"),
        ("x.json", "[{\"dnsName\": \"a\"", "EOF while parsing"),
        ("x.json", "- dnsName: a", "failed to parse"),
        (
            "x.yaml",
            "",
            "is empty; that nothing is wanted is said by an empty list, []",
        ),
        ("x.yaml", "# later\n", "is empty"),
        (
            "x.yaml",
            "dnsName: a\n",
            "document 1: must be a list of endpoints",
        ),
        ("x.yaml", "text\n", "document 1: must be a list of endpoints"),
        (
            "x.yaml",
            "[]\n---\nendpoints: 7\n",
            "document 2: endpoints: must be a list of endpoints",
        ),
        (
            "x.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n",
            "is a Pod of \"v1\"; it must be a list",
        ),
        (
            "x.yaml",
            "apiVersion: externaldns.k8s.io/v1alpha1\nkind: DNSEndpoint\n",
            "metadata.name: is missing",
        ),
    ] {
        let (names, reading) = first_reading(file, text);
        assert_eq!(names, [] as [&str; 0]);
        assert!(!reading.complete, "{text}");
        let [failure] = &reading.failures[..] else {
            panic!("{text}: {:?}", reading.failures);
        };
        let told = failure.to_string();
        assert!(told.contains(expected) && told.contains(file), "{text}: {told}");
    }
}

#[test]
fn of_a_folder_the_files_of_endpoints_count() {
    let mut folder = Folder::with("b.yaml", LIST);
    folder.write("a.json", "[]");
    folder.write("README.md", "what this is");
    folder.write(".b.yaml.swp", "x: [");
    folder.write(".hidden.yaml", "x: [");
    fs::create_dir(folder.path("folder.yaml")).unwrap();
    let reading = folder.files.read();
    assert!(reading.failures.is_empty(), "{:?}", reading.failures);
    assert_eq!(reading.wanted.endpoints.len(), 2);
    let mut empty = Folder::new();
    assert!(empty.files.read().complete, "an empty folder wants nothing");
}

#[test]
fn a_change_counts_once_it_has_been_seen_twice() {
    let mut folder = Folder::with("a.yaml", LIST);
    assert_eq!(folder.files.read().wanted.endpoints.len(), 2);
    for text in ["[]", LIST] {
        let before = folder.files.read().wanted;
        folder.write("a.yaml", text);
        let reading = folder.files.read();
        assert_eq!(reading.wanted, before);
        assert!(!reading.settled && reading.complete);
        let reading = folder.files.read();
        assert_ne!(reading.wanted, before);
        assert!(reading.settled && reading.complete);
    }
    folder.write("b.yaml", "[]");
    let reading = folder.files.read();
    assert!(
        !reading.settled && !reading.complete,
        "nothing of it is known yet"
    );
    assert!(folder.files.read().complete);
    folder.remove("a.yaml");
    let reading = folder.files.read();
    assert!(reading.wanted.endpoints.len() == 2 && !reading.settled);
    let reading = folder.files.read();
    assert!(reading.wanted.endpoints.is_empty() && reading.settled && reading.complete);
}

#[test]
fn what_cannot_be_used_leaves_in_force_what_was() {
    let mut folder = Folder::with("a.yaml", LIST);
    let before = folder.files.read().wanted;
    for text in ["", "x: [", "text", "kind: Pod"] {
        folder.write("a.yaml", text);
        assert!(folder.files.read().failures.is_empty(), "it may be half written");
        for _ in 0..3 {
            let reading = folder.files.read();
            assert_eq!(reading.wanted, before);
            assert!(reading.complete && reading.settled);
            assert_eq!(reading.failures.len(), 1, "{text:?}");
        }
    }
    fs::remove_file(folder.path("a.yaml")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path("a.yaml")).unwrap();
    for _ in 0..3 {
        let reading = folder.files.read();
        assert_eq!((reading.wanted, reading.failures.len()), (before.clone(), 1));
    }
}

#[test]
fn a_place_that_is_gone_leaves_in_force_what_was() {
    let folder = Folder::with("a.yaml", LIST);
    for path in [folder.folder.path().to_owned(), folder.path("a.yaml")] {
        let mut files = Files::new(vec![path]);
        let before = files.read().wanted;
        assert_eq!(before.endpoints.len(), 2);
        let aside = folder.folder.path().with_extension("aside");
        fs::rename(folder.folder.path(), &aside).unwrap();
        for _ in 0..3 {
            let reading = files.read();
            assert_eq!((&reading.wanted, reading.failures.len()), (&before, 1));
            assert!(reading.complete, "it is known from before");
        }
        fs::rename(&aside, folder.folder.path()).unwrap();
        let reading = files.read();
        assert!(reading.wanted == before && reading.settled && reading.failures.is_empty());
    }
    let mut files = Files::new(vec![folder.path("none"), folder.folder.path().into()]);
    let reading = files.read();
    assert!(!reading.complete, "it has never been there");
    assert_eq!((reading.wanted.endpoints.len(), reading.failures.len()), (2, 1));
}

#[test]
fn a_large_file_is_read() {
    let endpoint =
        |index: u32| format!("- {{dnsName: n{index}.example.com, recordType: A, targets: [192.0.2.1]}}\n");
    let text: String = (0..40_000).map(endpoint).collect();
    let (names, reading) = first_reading("many.yaml", &text);
    assert_eq!(names.len(), 40_000, "{:?}", reading.failures);
}

fn some_file() -> impl Strategy<Value = String> {
    let endpoint = (
        "[a-d]",
        "A|TXT",
        prop::collection::vec("192\\.0\\.2\\.[1-9][0-9]?", 1..3),
    )
        .prop_map(|(name, kind, targets)| {
            format!("- dnsName: {name}\n  recordType: {kind}\n  targets: {targets:?}\n")
        });
    prop::collection::vec(endpoint, 1..4).prop_map(|endpoints| endpoints.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// Wherever a write has stopped when the file is read: what was wanted stays wanted,
    /// and when the write is over, what is written is wanted.
    #[test]
    fn a_half_written_file_takes_nothing_away(old in some_file(), new in some_file(), cut in any::<prop::sample::Index>()) {
        let mut folder = Folder::with("a.yaml", &old);
        let before = folder.files.read().wanted;
        prop_assert!(!before.endpoints.is_empty());
        let cut = cut.index(new.len());
        folder.write("a.yaml", &new[..cut]);
        prop_assert_eq!(&folder.files.read().wanted, &before);
        folder.write("a.yaml", &new);
        prop_assert_eq!(&folder.files.read().wanted, &before);
        let reading = folder.files.read();
        prop_assert!(reading.settled && reading.complete);
        let fresh = Files::new(vec![folder.folder.path().into()]).read();
        prop_assert_eq!(reading.wanted, fresh.wanted);
    }

    /// Whichever way round the files are named, the same is wanted.
    #[test]
    fn the_order_of_files_does_not_matter(
        (texts, order) in prop::collection::vec(some_file(), 1..5)
            .prop_flat_map(|texts| { let order: Vec<usize> = (0..texts.len()).collect(); (Just(texts), Just(order).prop_shuffle()) }),
    ) {
        let folder = Folder::new();
        let paths: Vec<PathBuf> = (0..texts.len()).map(|index| folder.path(&format!("{index}.yaml"))).collect();
        for (path, text) in paths.iter().zip(&texts) {
            fs::write(path, text).unwrap();
        }
        let shuffled = order.iter().map(|index| paths[*index].clone()).collect();
        let one = Files::new(paths).read();
        let other = Files::new(shuffled).read();
        prop_assert!(one.failures.is_empty());
        prop_assert_eq!(merge(one.wanted.endpoints), merge(other.wanted.endpoints));
    }
}
