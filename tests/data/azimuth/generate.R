# Objects of the classes and slots of an Azimuth `ref.Rds`, and what Seurat makes of a query with one of them.
#
#     OPENBLAS_NUM_THREADS=1 Rscript generate.R          (in this folder; a minute)
#
# Reads ../golden/reference_* and ../golden/query_* and writes the files that README.md lists. The steps of the mapping are
# those of ../../peers/azimuth.R with an exact neighbour search. The class AzimuthData is declared here with the slots
# that the package Azimuth gives it, since that package is not installed.
source(file.path("..", "..", "peers", "azimuth.R"))
use_exact_neighbors()

setClass("AzimuthData", slots = c(plotref = "DimReduc", colormap = "list", seurat.version = "package_version",
                                 azimuth.version = "package_version", reference.version = "character"))

# ---- files ---------------------------------------------------------------------------------------------------

read_counts <- function(name) {
  file <- function(ending) file.path("..", "golden", paste0(name, ending))
  counts <- as(readMM(file("_counts.mtx.gz")), "CsparseMatrix")
  cells <- read.delim(file("_cells.tsv.gz"), row.names = 1, quote = "")
  dimnames(counts) <- list(readLines(file("_genes.txt.gz")), rownames(cells))
  list(counts = counts, cells = cells)
}

write_table <- function(table, file, key, digits = 12) {
  table <- as.data.frame(table, optional = TRUE)
  numbers <- vapply(table, is.numeric, TRUE)
  table[numbers] <- lapply(table[numbers], function(x) trimws(formatC(x, digits = digits, format = "g")))
  table <- cbind(rownames(table), table)
  names(table)[1] <- key
  out <- gzfile(paste0(file, ".tsv.gz"), "w")
  write.table(table, out, sep = "\t", quote = FALSE, row.names = FALSE)
  close(out)
}

# Rounded to what a bundle keeps: the files become smaller, and both sides compute with the same numbers.
to_f32 <- function(x) {
  x[] <- readBin(writeBin(as.vector(x), raw(), size = 4), "double", n = length(x), size = 4)
  x
}

round_reduction <- function(object, name) {
  reduction <- object[[name]]
  object[[name]] <- CreateDimReducObject(
    embeddings = to_f32(Embeddings(reduction)), loadings = to_f32(Loadings(reduction)), stdev = Stdev(reduction),
    key = Key(reduction), assay = "refAssay", misc = slot(reduction, "misc"))
  object
}

# ---- the reference ---------------------------------------------------------------------------------------------

# The steps by which Azimuth's references are fitted, up to the map that is learned on all cells.
fit <- function(input, cells, features, dimensions, flavor = "v1", spca = FALSE) {
  counts <- input$counts[, cells]
  object <- fit_reference(counts, input$cells[cells, , drop = FALSE], variable.features.n = features, vst.flavor =
                            if (flavor == "v2") "v2")
  object <- RunPCA(object, assay = "refAssay", npcs = dimensions, reduction.name = "refDR", verbose = FALSE, approx = FALSE)
  if (spca) {
    # Supervised by the graph of shared neighbours, as the references of several modalities are by their joint graph.
    object <- FindNeighbors(object, reduction = "refDR", dims = 1:20, graph.name = c("nn", "snn"), verbose = FALSE)
    object <- RunSPCA(object, assay = "refAssay", graph = "snn", npcs = dimensions, reduction.name = "refDR",
                      reduction.key = "SPC_", verbose = FALSE)
  }
  object <- round_reduction(object, "refDR")
  suppressWarnings(RunUMAP(object, reduction = "refDR", dims = seq_len(min(dimensions, 30)), reduction.name = "refUMAP",
                           return.model = TRUE, verbose = FALSE))
}

# No name of a gene in the model but those of the features and every tenth of the rest: the files are to be small.
prune_model <- function(model, features) {
  genes <- slot(model, "feature.attributes")
  rest <- setdiff(rownames(genes), features)
  keep <- rownames(genes) %in% c(features, rest[seq(1, length(rest), by = 10)])
  slot(model, "feature.attributes") <- genes[keep, , drop = FALSE]
  model
}

colors_of <- function(labels, palette) {
  setNames(palette[seq_along(levels(labels))], levels(labels))
}

# What AzimuthReference() makes of it: the cells to map onto, an assay of zeros, nearest neighbours, and the tool.
shrink <- function(object, mapped, dimensions, metadata, proteins = NULL) {
  everything <- Cells(object)
  features <- rownames(Loadings(object[["refDR"]]))
  umap <- object[["refUMAP"]]
  model <- prune_model(model_of(object), features)
  small <- subset(object, cells = mapped)
  zeros <- as(matrix(0, length(features), length(mapped), dimnames = list(features, mapped)), "CsparseMatrix")
  assay <- CreateSCTAssayObject(data = zeros, SCTModel.list = list(refmodel = model))
  VariableFeatures(assay) <- character()
  for (level in metadata) small[[level]] <- factor(small[[level, drop = TRUE]])
  plotted <- CreateDimReducObject(embeddings = to_f32(Embeddings(umap)), key = "UMAP_", assay = "refAssay",
                                  misc = list(plot.metadata = object[[metadata]]))
  colormap <- list()
  for (level in metadata) colormap[[level]] <- colors_of(small[[level, drop = TRUE]], hcl.colors(12, "Dark 3"))
  result <- CreateSeuratObject(counts = assay, assay = "refAssay")
  for (level in metadata) result[[level]] <- small[[level]]
  result[["ori.index"]] <- match(mapped, everything)
  result[["refDR"]] <- small[["refDR"]]
  result[["refUMAP"]] <- small[["refUMAP"]]
  if (!is.null(proteins)) {
    tags <- NormalizeData(CreateAssayObject(proteins[, mapped]), normalization.method = "CLR", margin = 2, verbose = FALSE)
    slot(tags, "data") <- as(to_f32(slot(tags, "data")), "CsparseMatrix")
    Key(tags) <- "adt_"
    result[["ADT"]] <- tags
  }
  result <- FindNeighbors(result, reduction = "refDR", dims = seq_len(dimensions), graph.name = "refdr.annoy.neighbors",
                          k.param = ROOT_NEIGHBORS, nn.method = "annoy", annoy.metric = "cosine", cache.index = TRUE,
                          return.neighbor = TRUE, l2.norm = FALSE, verbose = FALSE)
  slot(result, "tools")[["AzimuthReference"]] <- new(
    "AzimuthData", plotref = plotted, colormap = colormap, seurat.version = packageVersion("Seurat"),
    azimuth.version = package_version("0.5.0"), reference.version = "1.0.0")
  result
}

# The index is a file of its own, and what stood for it in this session means nothing in another.
save_reference <- function(object, file) {
  neighbors <- object[["refdr.annoy.neighbors"]]
  slot(neighbors, "alg.idx") <- NULL
  slot(neighbors, "nn.dist")[] <- to_f32(slot(neighbors, "nn.dist"))
  object[["refdr.annoy.neighbors"]] <- neighbors
  # With the version of the package that wrote it, and without the calls of this session.
  slot(object, "commands") <- list()
  tool <- slot(object, "tools")[["AzimuthReference"]]
  attr(tool, "class") <- structure("AzimuthData", package = "Azimuth")
  slot(object, "tools")[["AzimuthReference"]] <- tool
  saveRDS(object, file)
}

# ---- what Seurat makes of a query ------------------------------------------------------------------------------

map_query <- function(reference, counts, levels) {
  query <- residuals_under(load_query(counts), reference, rownames(Loadings(reference[["refDR"]])))
  anchors <- find_anchors(reference, query)
  write_table(merged_embedding(anchors, "pcaproject", "query"), "query_projected", "cell", digits = 9)
  query <- transfer_labels(anchors, reference, query, levels)
  table <- data.frame(row.names = Cells(query))
  for (level in levels) for (column in paste0("predicted.", level, c("", ".score"))) {
    table[[column]] <- query[[column, drop = TRUE]]
  }
  table$mapping.score <- score_mapping(anchors, query)
  write_table(table, "predictions", "cell")
  imputed <- TransferData(anchors, refdata = GetAssayData(reference[["ADT"]], slot = "data"), dims = DIMENSIONS,
                          n.trees = TREES, k.weight = 50, verbose = FALSE)
  write_table(t(as.matrix(GetAssayData(imputed, slot = "data"))), "query_proteins", "cell")
  cat("anchors", nrow(slot(anchors, "anchors")), "features", length(intersect(rownames(query), rownames(Loadings(reference[["refDR"]])))), "\n")
}

# ---- the run -------------------------------------------------------------------------------------------------

input <- read_counts("reference")
names(input$cells) <- c("celltype.l2", "celltype.l1")
input$cells <- input$cells[, c("celltype.l1", "celltype.l2")]
levels <- names(input$cells)
every <- function(n, count) colnames(input$counts)[floor((seq_len(n) - 1) * count / n) + 1]
surface <- input$counts[grep("^CD(3D|3E|4|7|8A|14|19|27|33|68|69|74)$", rownames(input$counts)), ]

# With proteins; mapped onto are 250 of the 300 cells that the map was learned on.
cells <- every(300, 500)
main <- shrink(fit(input, cells, 460, 50), cells[seq_along(cells) %% 8 != 3][1:250], 50, levels, surface)
save_reference(main, "proteins.Rds")
map_query(main, read_counts("query")$counts, levels)

# A model of version 2, components that a graph supervises.
cells <- every(150, 500)
save_reference(shrink(fit(input, cells, 260, 40, flavor = "v2", spca = TRUE), cells, 40, levels), "spca_v2.Rds")

# 100 dimensions, as the references of kidney and fetus have.
save_reference(shrink(fit(input, cells, 260, 100), cells, 100, "celltype.l2"), "dimensions_100.Rds")

writeLines(c(R.version.string, vapply(c("Seurat", "SeuratObject", "sctransform", "glmGamPoi", "uwot", "Matrix"),
                                     function(p) paste(p, packageVersion(p)), "")), "versions.txt")
