// SingleR's method by scran.js in Node: the label of every cell of QUERY.h5 (10x), one a line.
//
//     node check_singler.mjs QUERY.h5 FOLDER TOP
//
// FOLDER is what check_singler.py writes; TOP is the number of markers of a pair of classes. scran.js is that of
// ../browser (`npm install` there).
import fs from "node:fs";
import path from "node:path";
import * as scran from "../browser/node_modules/scran.js/main/index.js";

const [query, folder, top] = process.argv.slice(2);
const bytes = (name) => new Uint8Array(fs.readFileSync(path.join(folder, name)));
const genes = fs.readFileSync(path.join(folder, "genes.txt"), "utf8").trimEnd().split("\n");

await scran.initialize({ numberOfThreads: 1 });
const matrix = new scran.H5File(query).open("matrix");
const names = matrix.open("features").open("name", { load: true }).values;
const cells = matrix.open("barcodes", { load: true }).values.length;
const counts = scran.initializeSparseMatrixFromHdf5Group(query, "matrix", names.length, cells, false, { layered: false });
const reference = scran.loadLabelCellsReferenceFromBuffers(bytes("ranks.csv.gz"), bytes("markers.gmt.gz"), bytes("labels.csv.gz"));
const trained = scran.trainLabelCellsReference(names, reference, genes, { top: Number(top) });
const labels = scran.labelCells(counts, trained).predicted();
process.stdout.write(Array.from(labels, Number).join("\n") + "\n");
scran.terminate();
process.exit(0);
