namespace Dunlin.Agent.Tests;

/// <summary>For tests that watch the memory of this process: what others need meanwhile would be held against them.</summary>
[CollectionDefinition(nameof(AloneInTheProcess), DisableParallelization = true)]
public sealed class AloneInTheProcess;
