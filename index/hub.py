"""Files of the Hugging Face hub, fetched and found by the hub's own client in the hub's own cache."""

from pathlib import Path

from index.errors import FetchFailed, ModelNotFetched

# Pickles can run code when they are loaded, and the others are for engines that are not used here.
IGNORED = (
    "*.bin",
    "*.pt",
    "*.pth",
    "*.pkl",
    "*.h5",
    "*.msgpack",
    "*.ot",
    "*.onnx",
    "onnx/*",
    "openvino/*",
)


def download(repository: str, file: str, models: Path) -> Path:
    """One file of 'org/name', or with file '' the folder of all of it that may be used. No work if it is there.

    models: the folder that the error names as the place of the default models. Raises FetchFailed.
    """
    import huggingface_hub

    try:
        if not file:
            return Path(huggingface_hub.snapshot_download(repository, ignore_patterns=list(IGNORED)))
        return Path(huggingface_hub.hf_hub_download(repository, file))
    except Exception as error:  # the client lets through whatever its HTTP library raises
        reason = str(error).partition("\n")[0].rstrip(". ") or type(error).__name__
        raise FetchFailed(
            f"{repository} could not be fetched from the Hugging Face hub: {reason}. Check the name and the "
            "network, or download the files elsewhere and give their folder instead.",
            name=f"hub:{repository}/{file}" if file else f"hub:{repository}",
            path=models,
            reason=reason,
        ) from error


def cached(repository: str, file: str) -> Path:
    """One file of 'org/name' from the cache, without the network. Raises ModelNotFetched."""
    import huggingface_hub

    path = huggingface_hub.try_to_load_from_cache(repository, file)
    if not isinstance(path, str):
        spec = f"hub:{repository}/{file}"
        raise ModelNotFetched(
            f"The model {spec} is not on this machine. Get it with: mureum models fetch {spec}",
            name=spec,
            path="",
        )
    return Path(path)
