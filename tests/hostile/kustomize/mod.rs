//! Kustomizations that kustomize reads otherwise than trueup does.
