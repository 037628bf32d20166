//! Random documents in every style, and random patches of them.

use fastrand::Rng;

use super::*;

/// Writes a random value the way a random person would.
struct Author {
    rng: Rng,
    newline: &'static str,
    text: String,
    /// Names of anchors on scalars.
    anchors: usize,
    with_anchors: bool,
}

const KEYS: [&str; 12] = [
    "a",
    "name",
    "weight",
    "b.c/d",
    "x-1",
    "e~f",
    "'true'",
    "\"q k\"",
    "é",
    "two words",
    "0x",
    "k",
];
const WORDS: [&str; 10] = [
    "shop-v2",
    "'90'",
    "\"90\"",
    "'it''s'",
    "\"a\\tb\\\"c\"",
    "two words",
    "ü#n",
    "http://x:80/?a=b",
    "-a",
    "''",
];

impl Author {
    fn one_in(&mut self, n: usize) -> bool {
        self.rng.usize(..n) == 0
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.rng.usize(..from.len())]
    }

    fn blank(&mut self, column: usize) {
        while self.one_in(5) {
            self.text += self.newline;
        }
        if self.one_in(5) {
            let column = if self.one_in(3) { self.rng.usize(..8) } else { column };
            self.text +=
                &format!("{}# é: [comment] - {{a: b}}\tx{}", " ".repeat(column), self.newline);
        }
    }

    fn end_line(&mut self) {
        if self.one_in(5) {
            self.text += "  # trailing, \"c\": 1";
        } else if self.one_in(8) {
            self.text += "  ";
        }
        self.text += self.newline;
    }

    fn scalar(&mut self, in_flow: bool) -> String {
        let text = match self.rng.u8(..10) {
            0..3 => self.rng.i32(-100..1000).to_string(),
            3 => self.pick(&["true", "false", "null", "~", "1.5", "1e300"]).to_owned(),
            _ if in_flow => self.pick(&WORDS[..6]).to_owned(),
            4 => self.pick(&["!!str 90", "!!int '7'"]).to_owned(),
            _ => self.pick(&WORDS).to_owned(),
        };
        if self.with_anchors && self.one_in(4) {
            if self.anchors > 0 && self.one_in(2) {
                return format!("*n{}", self.rng.usize(..self.anchors))
                    + if in_flow { " " } else { "" };
            }
            self.anchors += 1;
            return format!("&n{} {text}", self.anchors - 1);
        }
        text
    }

    fn keys(&mut self) -> Vec<&'static str> {
        let mut keys = KEYS.to_vec();
        self.rng.shuffle(&mut keys);
        keys.truncate(self.rng.usize(1..5));
        keys
    }

    fn flow(&mut self, depth: usize, column: usize) {
        let lines = self.one_in(4);
        let apart = |author: &mut Self| {
            if !lines {
                let space = author.pick(&["", " "]);
                author.text += space;
                return;
            }
            if author.one_in(4) {
                author.text += " # in flow, [";
            }
            author.text += author.newline;
            author.text += &" ".repeat(column + 2);
        };
        let map = self.one_in(2);
        self.text += if map { "{" } else { "[" };
        let count = self.rng.usize(..4);
        let keys = self.keys();
        for (index, key) in keys.iter().cycle().take(count.min(keys.len())).enumerate() {
            apart(self);
            if map {
                self.text += &format!("{key}: ");
            }
            if depth > 0 && self.one_in(3) {
                self.flow(depth - 1, column + 2);
            } else {
                let scalar = self.scalar(true);
                self.text += &scalar;
            }
            if index + 1 < count.min(keys.len()) {
                let comma = self.pick(&[",", ", ", " , "]);
                self.text += comma;
            } else if self.one_in(6) {
                self.text += ",";
            }
        }
        if count > 0 {
            apart(self);
        }
        self.text += if map { "}" } else { "]" };
    }

    /// What stands behind a key or a dash; `column` is that of the key or the dash.
    fn value(&mut self, depth: usize, column: usize, after_dash: bool) {
        match self.rng.u8(..12) {
            0..4 if depth > 0 => {
                if after_dash && self.one_in(2) {
                    let gap = self.rng.usize(1..4);
                    self.text += &" ".repeat(gap);
                    self.members(depth - 1, column + 1 + gap, true);
                    return;
                }
                if self.one_in(8) {
                    self.text += " # on the key's line";
                }
                self.text += self.newline;
                let step = self.rng.usize(1..4);
                self.members(depth - 1, column + step, false);
            }
            4 | 5 if depth > 0 => {
                self.text += " ";
                self.flow(depth - 1, column + 1);
                self.end_line();
            }
            6 => {
                let header = self.pick(&["|", ">-", "|-", "|+", ">"]);
                self.text += &format!(" {header}{}", self.newline);
                for _ in 0..self.rng.usize(1..4) {
                    self.text +=
                        &format!("{}text # é: no comment{}", " ".repeat(column + 2), self.newline);
                }
                if self.one_in(3) {
                    self.text += self.newline;
                }
            }
            7 => self.end_line(),
            _ => {
                let scalar = self.scalar(false);
                self.text += &format!(" {scalar}");
                self.end_line();
            }
        }
    }

    /// A list or map in block style; the first member may stand on a line that has begun.
    fn members(&mut self, depth: usize, column: usize, begun: bool) {
        let keys = self.keys();
        let map = self.one_in(2);
        for (index, key) in keys.iter().enumerate() {
            if index > 0 || !begun {
                self.blank(column);
                self.text += &" ".repeat(column);
            }
            if !map {
                self.text += "-";
                self.value(depth, column, true);
            } else if self.one_in(30) {
                self.text += &format!("? {key}{}{}:", self.newline, " ".repeat(column));
                self.value(depth, column, false);
            } else if depth > 0 && self.one_in(8) {
                // A list that isn't indented.
                self.text += &format!("{key}:{}{}-", self.newline, " ".repeat(column));
                self.value(depth - 1, column, true);
            } else {
                self.text += &format!("{key}:");
                self.value(depth, column, false);
            }
        }
    }
}

fn document(seed: u64, with_anchors: bool) -> String {
    let mut rng = Rng::with_seed(seed);
    let newline = if rng.u8(..4) == 0 { "\r\n" } else { "\n" };
    let mut author = Author { rng, newline, text: String::new(), anchors: 0, with_anchors };
    if author.one_in(6) {
        author.text += "\u{feff}";
    }
    if author.one_in(4) {
        author.text += &format!("# head{newline}---  # start{newline}");
    }
    if author.one_in(10) {
        author.flow(3, 0);
        author.text += newline;
    } else {
        author.members(3, 0, false);
    }
    if author.one_in(5) {
        author.text += &format!("# the end{newline}");
    }
    if author.one_in(5) {
        author.text.truncate(author.text.trim_end().len());
    }
    author.text
}

fn paths(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                paths(item, &format!("{at}/{index}"), found);
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                paths(item, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        _ => {}
    }
}

fn new_value(rng: &mut Rng, depth: usize) -> Value {
    let texts = [
        "x", "yes", "90", "", "it's", "a: b", "a #b", "a\nb\n", "\u{2028}", "é", "[", "a, b",
        "{{ x }}", "\t", " a ",
    ];
    match rng.u8(..10) {
        0..3 => rng.i32(-5..200).into(),
        3..7 => texts[rng.usize(..texts.len())].into(),
        7 => [json!(null), json!(true), json!(1.5), json!([]), json!({})][rng.usize(..5)].clone(),
        _ if depth == 0 => json!(0),
        8 => (0..rng.usize(..4)).map(|_| new_value(rng, depth - 1)).collect(),
        _ => {
            let keys = ["name", "on", "a/b", "weight", "two words"];
            let entry = |_| (keys[rng.usize(..5)].to_owned(), new_value(rng, depth - 1));
            (0..3).map(entry).collect::<serde_json::Map<_, _>>().into()
        }
    }
}

fn operation(rng: &mut Rng, value: &Value) -> Value {
    let mut all = Vec::new();
    paths(value, "", &mut all);
    let path = all[rng.usize(..all.len())].clone();
    let new = new_value(rng, 2);
    let there = value.pointer(&path).unwrap();
    match rng.u8(..7) {
        0 if !path.is_empty() => json!({"op": "remove", "path": path}),
        1 => json!({"op": "test", "path": path, "value": there}),
        2 | 3 if there.is_array() => {
            let most = there.as_array().unwrap().len();
            let index = rng.usize(..=most);
            let last = if index == most && rng.bool() { "-".to_owned() } else { index.to_string() };
            json!({"op": "add", "path": format!("{path}/{last}"), "value": new})
        }
        2 | 3 if there.is_object() => {
            json!({"op": "add", "path": format!("{path}/new~1k"), "value": new})
        }
        _ => json!({"op": "replace", "path": path, "value": new}),
    }
}

/// The one layout without aliases in which something can't be removed.
fn is_comment_in_a_text(error: &EditError) -> bool {
    matches!(error, EditError::Unfit { what, .. } if what.starts_with("a comment that would"))
}

/// Whether all of `part` is in `whole`, in its order.
fn is_within(part: &str, whole: &str) -> bool {
    let mut rest = whole.chars();
    part.chars().all(|c| rest.any(|other| other == c))
}

fn comments(text: &str) -> usize {
    text.matches("# é: [comment]").count()
}

#[test]
fn random_patches_of_random_documents_come_out_as_the_value_does() {
    for seed in 0..3_000 {
        let text = document(seed, false);
        let bare = text.trim_start_matches(BYTE_ORDER_MARK);
        let mut wants = read(bare).unwrap_or_else(|error| panic!("{seed}: {error}\n{text}"));
        let mut rng = Rng::with_seed(seed);
        let mut operations = Vec::new();
        for _ in 0..rng.usize(1..4) {
            let one = operation(&mut rng, &wants);
            json_patch::patch(&mut wants, &patch_of(json!([one]))).unwrap();
            operations.push(one);
        }
        let patch = patch_of(operations.into());
        let edited = match edit(&text, &patch) {
            Ok(edited) => edited,
            Err(error) if is_comment_in_a_text(&error) => continue,
            Err(error) => panic!("{seed}: {error}\n{patch}\n{text}"),
        };
        let has = read(edited.trim_start_matches(BYTE_ORDER_MARK)).unwrap();
        assert_eq!(has, wants, "{seed}: {patch}\n{text}\n->\n{edited}");
        assert_eq!(text.starts_with(BYTE_ORDER_MARK), edited.starts_with(BYTE_ORDER_MARK));
        let crlf = text.contains("\r\n");
        assert!(!crlf || !edited.replace("\r\n", "").contains('\n'), "{seed}: {edited:?}");
        if let [PatchOperation::Add(_)] = &*patch.0
            && edited.len() >= text.len() + 3
        {
            let all = comments(&edited) == comments(&text);
            assert!(all, "{seed}: {patch}\n{text}\n->\n{edited}");
        }
    }
}

/// What is added stands between what was there; of what is removed nothing else is missing.
#[test]
fn nothing_else_is_touched() {
    let mut seen = (0, 0);
    for seed in 0..3_000 {
        let text = document(seed, false);
        let value = read(text.trim_start_matches(BYTE_ORDER_MARK)).unwrap();
        let mut rng = Rng::with_seed(seed);
        let one = operation(&mut rng, &value);
        let Ok(edited) = edit(&text, &patch_of(json!([one]))) else { continue };
        let path = one["path"].as_str().unwrap();
        if one["op"] == "add" && value.pointer(path).is_none() {
            seen.0 += 1;
            assert!(is_within(&text, &edited), "{seed}: {one}\n{text}\n->\n{edited}");
        } else if one["op"] == "remove" {
            seen.1 += 1;
            let empty = edited.match_indices("[]").chain(edited.match_indices("{}"));
            let without = |(at, _): (usize, &str)| {
                edited[..at].trim_end_matches(' ').to_owned() + edited[at + 2..].trim_end()
            };
            let within = is_within(&edited, &text)
                || empty.map(without).any(|edited| is_within(&edited, &text));
            assert!(within, "{seed}: {one}\n{text}\n->\n{edited}");
        }
    }
    assert!(seen.0 > 200 && seen.1 > 200, "{seen:?}");
}

/// With aliases a patch may have no exact form; then nothing comes out.
#[test]
fn aliases_are_followed_exactly_or_not_at_all() {
    let (mut taken, mut shared) = (0, 0);
    for seed in 0..3_000 {
        let text = document(seed, true);
        let mut wants = read(text.trim_start_matches(BYTE_ORDER_MARK)).unwrap();
        let mut rng = Rng::with_seed(seed);
        let patch = patch_of(json!([operation(&mut rng, &wants)]));
        json_patch::patch(&mut wants, &patch).unwrap();
        match edit(&text, &patch) {
            Ok(edited) => {
                taken += 1;
                let has = read(edited.trim_start_matches(BYTE_ORDER_MARK)).unwrap();
                assert_eq!(has, wants, "{seed}: {patch}\n{text}\n->\n{edited}");
            }
            Err(EditError::Shared { .. }) => shared += 1,
            Err(error) if is_comment_in_a_text(&error) => {}
            Err(error) => panic!("{seed}: {error}\n{patch}\n{text}"),
        }
    }
    assert!(taken > 2_000 && shared > 25, "{taken} taken, {shared} refused");
}

/// As the module promises: for scalars in their plainest spelling, of the same kind.
#[test]
fn there_and_back_is_where_it_was() {
    let mut seen = 0;
    for seed in 0..3_000 {
        let text = document(seed, false);
        let value = read(text.trim_start_matches(BYTE_ORDER_MARK)).unwrap();
        let mut rng = Rng::with_seed(seed);
        let mut all = Vec::new();
        paths(&value, "", &mut all);
        let path = &all[rng.usize(..all.len())];
        let old = value.pointer(path).unwrap();
        let new: Value = match old {
            Value::Number(number) if number.is_i64() => rng.i32(0..1000).into(),
            Value::String(text) if text.starts_with("shop") => "shop-v1".into(),
            Value::String(text) if text == "90" => "10".into(),
            _ => continue,
        };
        if text.contains("!!") {
            continue;
        }
        seen += 1;
        let there = edit(
            &text,
            &patch_of(json!([{"op": "test", "path": path, "value": old},
            {"op": "replace", "path": path, "value": new}])),
        );
        let back = edit(
            &there.unwrap(),
            &patch_of(json!([{"op": "test", "path": path, "value": new},
            {"op": "replace", "path": path, "value": old}])),
        );
        assert_eq!(back.unwrap(), text, "{seed}: {path}");
    }
    assert!(seen > 250, "{seen}");
}
