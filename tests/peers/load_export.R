# Loads what `sextant reference export --azimuth` wrote, as Seurat and Azimuth do, and maps a query onto it.
#
#     Rscript load_export.R FOLDER QUERY.h5 OUT.tsv       (FOLDER with ref.Rds and idx.annoy; exact neighbours)
#
# Ends with an error where the object is not valid, or lacks what Azimuth's own check asks for.
arguments <- commandArgs(trailingOnly = TRUE)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
source(file.path(here, "azimuth.R"))

tool <- attributes(slot(readRDS(file.path(arguments[1], "ref.Rds")), "tools")[["AzimuthReference"]])
reference <- load_exported(arguments[1])
umap <- Misc(reference[["refUMAP"]], "model")
levels <- names(tool$colormap)
metadata <- tool$plotref@misc$plot.metadata
stopifnot(
  validObject(tool$plotref), attr(tool$class, "package") == "Azimuth", tool$class == "AzimuthData",
  inherits(reference[["refAssay"]], "SCTAssay"), names(slot(reference[["refAssay"]], "SCTModel.list")) == "refmodel",
  "ori.index" %in% names(reference[[]]), nrow(metadata) == ncol(reference), setequal(names(metadata), levels),
  vapply(levels, function(level) all(levels(metadata[[level]]) %in% names(tool$colormap[[level]])), TRUE),
  all.equal(unname(Embeddings(reference[["refUMAP"]])), umap$embedding[reference$ori.index, ], check.attributes = FALSE))

# With the index that was loaded, then without approximation.
found <- Seurat:::AnnoySearch(Index(reference[["refdr.annoy.neighbors"]]), Embeddings(reference[["refDR"]])[1:5, ], 3)
stopifnot(found$nn.idx[, 1] == 1:5)
use_exact_neighbors()
reference <- find_reference_neighbors(reference)

query <- residuals_under(load_query(Read10X_h5(arguments[2])), reference, rownames(Loadings(reference[["refDR"]])))
anchors <- find_anchors(reference, query)
query <- integrate(anchors, reference, transfer_labels(anchors, reference, query, levels))
places <- place(find_umap_neighbors(reference, query), reference)
stopifnot(dim(places) == c(ncol(query), 2))
if ("ADT" %in% Assays(reference)) {
  imputed <- TransferData(anchors, refdata = GetAssayData(reference[["ADT"]], slot = "data"), dims = DIMENSIONS,
                          n.trees = TREES, k.weight = 50, verbose = FALSE)
  stopifnot(nrow(imputed) == nrow(reference[["ADT"]]))
}
write.table(data.frame(cell = Cells(query), query[[paste0("predicted.", levels)]]), arguments[3], sep = "\t", quote = FALSE,
            row.names = FALSE)
