using Dunlin.Optimizer.Training;

namespace Dunlin.Optimizer.Tests.Training;

/// <summary>Skips what needs libtorch where it does not load.</summary>
internal static class Torch
{
    public static void Require()
    {
        try
        {
            TorchLibrary.Load();
        }
        catch (DllNotFoundException error)
        {
            Assert.Skip($"libtorch does not load here: {error.Message}");
        }
    }
}
