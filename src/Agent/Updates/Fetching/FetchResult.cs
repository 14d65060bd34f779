using Dunlin.Contracts.Artifacts;

namespace Dunlin.Agent.Updates.Fetching;

/// <summary>How a fetch ended. All blobs are stored and whole, or a code and a sentence say why not.</summary>
/// <param name="Code">One of <see cref="FetchCodes"/>; null for success.</param>
/// <param name="Detail">Names the thing, the rule and the next step; free of secrets. Null for success.</param>
internal sealed record FetchResult(string? Code, string? Detail)
{
    public static FetchResult Success { get; } = new(null, null);

    public bool IsSuccess => Code is null;

    public static FetchResult Failure(string code, string detail) => new(code, detail);
}

/// <summary>Reason codes of a fetch that failed (docs/operations.md).</summary>
internal static class FetchCodes
{
    /// <summary>The disk has no room, with the reserve left alone.</summary>
    public const string NoSpace = "fetch.no-space";

    /// <summary>The blobs together exceed Updates:MaximumFetchMegabytes.</summary>
    public const string TooLarge = "fetch.too-large";

    /// <summary>Every source was slower than the least throughput.</summary>
    public const string TooSlow = "fetch.too-slow";

    /// <summary>Every source sent other bytes than the manifest names, or the manifest contradicts itself.</summary>
    public const string DigestMismatch = "fetch.digest-mismatch";

    /// <summary>No source is on a host of Updates:AllowedHosts.</summary>
    public const string HostNotAllowed = "fetch.host-not-allowed";

    /// <summary>Every source asks for credentials that this device has not, or refuses those it has.</summary>
    public const string Unauthorized = "fetch.unauthorized";

    /// <summary>No source has the blob.</summary>
    public const string NotFound = "fetch.not-found";

    /// <summary>Every source failed, each for another reason, or none answered for as long as the device is patient.</summary>
    public const string SourcesExhausted = "fetch.sources-exhausted";

    /// <summary>The whole took longer than Updates:MaximumFetchHours.</summary>
    public const string Timeout = "fetch.timeout";

    /// <summary>The disk reported errors.</summary>
    public const string DiskFailed = "fetch.disk-failed";

    /// <summary>Whether the same fetch may go on later, from what it has: the cause lies with sources, credentials or the link.</summary>
    public static bool MayPass(string? code) => code is Timeout or SourcesExhausted or TooSlow or Unauthorized or NotFound or HostNotAllowed;
}

/// <summary>How far a fetch is. Reported after each verified chunk and each failed attempt; handlers return quickly.</summary>
/// <param name="Blob">The blob that is being fetched.</param>
/// <param name="StoredByteCount">Bytes of all blobs that are on the disk and verified.</param>
/// <param name="TotalByteCount">Bytes of all blobs.</param>
/// <param name="ReceivedByteCount">Bytes that came over the network in this call, wrong ones included.</param>
/// <param name="Problem">Why the last attempt failed, in a sentence without secrets; null while all goes well.</param>
internal readonly record struct FetchProgress(Digest Blob, long StoredByteCount, long TotalByteCount, long ReceivedByteCount, string? Problem);
