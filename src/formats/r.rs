//! What R writes: `saveRDS()` and `save()`.
#![allow(dead_code)]

mod container;
mod faults;
mod frames;
mod gzip;
mod header;
mod keeper;
mod numbers;
mod parser;
mod stream;
mod texts;
mod tree;

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn dump() {
        let Ok(path) = std::env::var("RFILE") else { return };
        let source = std::sync::Arc::new(crate::formats::source::BlockCache::new(Box::new(std::fs::File::open(path).unwrap())).unwrap());
        let (header, stream) = header::open(&source).unwrap().unwrap();
        println!("{header:?}");
        let tree = parser::parse(stream, &header).unwrap();
        show(&tree, tree.root, 0, "");
    }
    fn show(tree: &tree::Tree, id: tree::NodeId, depth: usize, name: &str) {
        if depth > 9 { return }
        let pad = "  ".repeat(depth);
        match tree.kind(id) {
            tree::Kind::Texts(t) => println!("{pad}{name}: texts {} {:?}", t.len(), t.iter().take(3).collect::<Vec<_>>()),
            tree::Kind::Numbers(n) => println!("{pad}{name}: {:?} {} {}", n.element, n.length, match &n.held { numbers::Held::Kept(k) => format!("{:?}", &k[..k.len().min(4)]), numbers::Held::Stored{position, sample} => format!("@{position} {:?}", sample.as_ref().map(|s| s.len())), o => format!("{o:?}") }),
            tree::Kind::List(l) => println!("{pad}{name}: list {}", l.len()),
            tree::Kind::Pairs(l) => println!("{pad}{name}: pairs {}", l.len()),
            k => println!("{pad}{name}: {k:?}"),
        }
        if let tree::Kind::Pairs(p) = tree.kind(tree.node(id).attributes) { for (t, v) in p { show(tree, *v, depth + 1, &format!("@{t}")); } }
        for (n, v) in match tree.kind(id) { tree::Kind::S4 => vec![], _ => tree.elements(id) }.into_iter().take(60) { show(tree, v, depth + 1, &format!("${n}")); }
    }
}
