namespace Dunlin.Runtime.Preprocessing;

/// <summary>How bytes of a picture are arranged in memory.</summary>
internal enum Packing
{
    Planar = 1,
    Yuyv = 2,
    Rgb24 = 3,
}

/// <summary>
/// All of a decoded picture that the resampling tables depend on. <paramref name="Width"/> and <paramref name="Height"/>
/// are those of the frame; the planes are smaller by <paramref name="ScaleEighths"/> / 8, the chroma planes also by
/// <paramref name="ChromaX"/> and <paramref name="ChromaY"/>.
/// </summary>
internal readonly record struct PictureShape(
    PixelLayout Layout, Packing Packing, int Width, int Height, int ScaleEighths, int ChromaX, int ChromaY)
{
    public int PlaneCount => Layout == PixelLayout.Gray ? 1 : 3;

    /// <summary>Pixels per pixel of the frame, along x, in this plane.</summary>
    public double ScaleX(int plane) => ScaleEighths / 8.0 / (plane == 0 ? 1 : ChromaX);

    public double ScaleY(int plane) => ScaleEighths / 8.0 / (plane == 0 ? 1 : ChromaY);

    public int PlaneWidth(int plane) => CeilingDivide(CeilingDivide(Width * ScaleEighths, 8), plane == 0 ? 1 : ChromaX);

    public int PlaneHeight(int plane) => CeilingDivide(CeilingDivide(Height * ScaleEighths, 8), plane == 0 ? 1 : ChromaY);

    private static int CeilingDivide(int value, int by) => (value + by - 1) / by;
}

/// <summary>A picture in memory. For packed ones only the first plane is set.</summary>
internal unsafe struct Picture
{
    public PictureShape Shape;
    public byte* Plane0;
    public byte* Plane1;
    public byte* Plane2;
    public int Stride0;
    public int Stride1;
    public int Stride2;
}
