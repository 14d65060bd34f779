namespace Dunlin.Optimizer;

/// <summary>Where the optimizer keeps what it can make again: <c>$XDG_CACHE_HOME/dunlin</c>, or <c>~/.cache/dunlin</c>.</summary>
internal static class CacheFolder
{
    public static string Path { get; } = System.IO.Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } configured
            ? configured
            : System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify), ".cache"),
        "dunlin");
}
