namespace Dunlin.Optimizer.Search;

/// <summary>What a search makes small under its limit.</summary>
internal enum SearchObjective
{
    /// <summary>Milliseconds on one thread, of the fleet's boards where their verdicts are given.</summary>
    Latency,

    /// <summary>CPU time of an inference, which costs power.</summary>
    Energy,

    /// <summary>Bytes of the file.</summary>
    Size,
}
