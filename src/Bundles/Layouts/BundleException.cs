namespace Dunlin.Bundles.Layouts;

/// <summary>A bundle that cannot be used, with the file, what is wrong with it, and what to do.</summary>
public sealed class BundleException : Exception
{
    public BundleException(BundleProblem problem, string message, Exception? inner = null)
        : base(message, inner) => Problem = problem;

    public BundleProblem Problem { get; }
}

/// <summary>What is wrong with a bundle, for callers that act on it.</summary>
public enum BundleProblem
{
    /// <summary>No OCI layout there, or not one of a Dunlin bundle: index, media types, layers.</summary>
    Layout = 1,

    /// <summary>A blob that the manifest names is absent.</summary>
    MissingBlob = 2,

    /// <summary>A blob of another size or digest than the manifest says.</summary>
    CorruptBlob = 3,

    /// <summary>A symbolic link or a special file where a regular file must be.</summary>
    NotRegularFile = 4,

    /// <summary>The manifest breaks its rules.</summary>
    Manifest = 5,

    /// <summary>Labels that are no list of texts.</summary>
    Labels = 6,

    /// <summary>A golden set that is malformed or belongs to another manifest.</summary>
    Golden = 7,

    /// <summary>A signature layer whose payload is not the manifest, or no envelope at all.</summary>
    Signature = 8,
}
