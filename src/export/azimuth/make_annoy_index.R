# Makes idx.annoy of the ref.Rds in this folder, which Azimuth loads beside it.
#
#     Rscript make_annoy_index.R          (in the folder of ref.Rds; needs Seurat)
suppressPackageStartupMessages(library(Seurat))
reference <- readRDS("ref.Rds")
kept <- reference[["refdr.annoy.neighbors"]]
dimensions <- seq_len(slot(kept, "alg.info")$ndim)
reference <- FindNeighbors(reference, reduction = "refDR", dims = dimensions, graph.name = "refdr.annoy.neighbors",
                           k.param = ncol(Indices(kept)), nn.method = "annoy", annoy.metric = "cosine", cache.index = TRUE,
                           return.neighbor = TRUE, l2.norm = FALSE, verbose = FALSE)
SaveAnnoyIndex(reference[["refdr.annoy.neighbors"]], file = "idx.annoy")
cat("idx.annoy is written\n")
